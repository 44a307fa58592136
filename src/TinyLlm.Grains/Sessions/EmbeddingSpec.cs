using System.Collections.Immutable;
using TinyLlm.Grains.Residency;

namespace TinyLlm.Grains.Sessions;

/// <summary>Texts to embed.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.EmbeddingSpec")]
public sealed record EmbeddingSpec
{
    /// <summary>At least one.</summary>
    [Id(0)] public required ImmutableArray<EmbeddingInput> Inputs { get; init; }

    /// <inheritdoc cref="SessionRequest.KeepAlive"/>
    [Id(1)] public KeepAlive? KeepAlive { get; init; }
}

/// <summary>One text, or the ids of one. Exactly one of the two is set.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.EmbeddingInput")]
public sealed record EmbeddingInput
{
    /// <summary>A text, tokenized with the model's special tokens.</summary>
    [Id(0)] public string? Text { get; init; }

    /// <summary>A text that is tokenized already.</summary>
    [Id(1)] public ImmutableArray<int>? Ids { get; init; }
}
