using TinyLlm.Storage;

namespace TinyLlm.Grains.Access;

/// <summary>A stream that a caller wants to begin, as the caller's own grain counts it.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.StreamSpec")]
public sealed record StreamSpec
{
    /// <summary>Names the stream, in both grains.</summary>
    [Id(0)] public required string StreamId { get; init; }

    /// <summary>Under which credential.</summary>
    [Id(1)] public required Bearer Bearer { get; init; }

    /// <summary>Tokens to take from the rate before the first is made; what was too much comes back at the end.</summary>
    [Id(2)] public required long ReservedTokens { get; init; }
}

/// <summary>What a running or ended stream has used so far, told to the caller's own grain.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.StreamUse")]
public sealed record StreamUse
{
    /// <summary>The stream.</summary>
    [Id(0)] public required string StreamId { get; init; }

    /// <summary>Under which credential.</summary>
    [Id(1)] public required Bearer Bearer { get; init; }

    /// <summary>Tokens of prompt and completion until now.</summary>
    [Id(2)] public required long Tokens { get; init; }

    /// <summary>It is a download of files, which takes no place and no tokens.</summary>
    [Id(3)] public bool IsDownload { get; init; }
}

/// <summary>A stream that a caller wants to begin, as the model's owner decides it.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.StreamLeaseSpec")]
public sealed record StreamLeaseSpec
{
    /// <summary>Who wants to use the model.</summary>
    [Id(0)] public required UserId Caller { get; init; }

    /// <summary>The model's name.</summary>
    [Id(1)] public required string Model { get; init; }

    /// <summary>Which version; null: the newest.</summary>
    [Id(2)] public int? Number { get; init; }

    /// <summary>Names the stream, in both grains.</summary>
    [Id(3)] public required string StreamId { get; init; }

    /// <summary>What the prompt will take, estimated: nobody has tokenized it yet.</summary>
    [Id(4)] public required long PromptTokens { get; init; }

    /// <summary>The most tokens of completion that the request allows; null: what the context leaves.</summary>
    [Id(5)] public long? MaxTokens { get; init; }
}

/// <summary>What a running or ended stream has used so far, told to the model's owner.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.LeaseUse")]
public sealed record LeaseUse
{
    /// <summary>The stream.</summary>
    [Id(0)] public required string StreamId { get; init; }

    /// <summary>The model's name.</summary>
    [Id(1)] public required string Model { get; init; }

    /// <summary>The version that it runs on.</summary>
    [Id(2)] public required VersionId Version { get; init; }

    /// <summary>Tokens of prompt and completion until now.</summary>
    [Id(3)] public required long Tokens { get; init; }

    /// <summary>It is a download of files, and rests on another right than an answer does.</summary>
    [Id(4)] public bool IsDownload { get; init; }
}
