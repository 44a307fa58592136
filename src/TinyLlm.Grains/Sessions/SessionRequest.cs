using System.Collections.Immutable;

namespace TinyLlm.Grains.Sessions;

/// <summary>One request to generate, as the session takes it: text or ids in, bounds already checked where they don't need the model.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.SessionRequest")]
public sealed record SessionRequest
{
    /// <summary>A conversation, rendered by the model's chat template. Exactly one of the three prompts is set.</summary>
    [Id(0)] public ImmutableArray<SessionMessage>? Messages { get; init; }

    /// <summary>A plain prompt.</summary>
    [Id(1)] public string? Prompt { get; init; }

    /// <summary>A prompt that is tokenized already.</summary>
    [Id(2)] public ImmutableArray<int>? PromptIds { get; init; }

    /// <summary>The most tokens to generate; null: what the context leaves.</summary>
    [Id(3)] public int? MaxTokens { get; init; }

    /// <summary>Strings that end the answer, themselves not part of it.</summary>
    [Id(4)] public ImmutableArray<string> Stop { get; init; } = [];

    /// <summary>0 is greedy.</summary>
    [Id(5)] public double Temperature { get; init; } = 1;

    /// <summary>Probability mass that is sampled from; 1 is all.</summary>
    [Id(6)] public double TopP { get; init; } = 1;

    /// <summary>Most likely tokens that are sampled from; 0 is all.</summary>
    [Id(7)] public int TopK { get; init; }

    /// <summary>Seed of the sampling; the same seed, model and request give the same text.</summary>
    [Id(8)] public ulong Seed { get; init; }

    /// <summary>The most tokens that the caller may have where <see cref="MaxTokens"/> names no bound; null: what the context leaves.</summary>
    [Id(100)] public int? TokenAllowance { get; init; }
}

/// <summary>One turn of a conversation.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.SessionMessage")]
public sealed record SessionMessage
{
    /// <summary>Who speaks: system, user, assistant, ...</summary>
    [Id(0)] public required string Role { get; init; }

    /// <summary>What is said.</summary>
    [Id(1)] public required string Content { get; init; }
}
