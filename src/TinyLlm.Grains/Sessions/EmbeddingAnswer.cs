using System.Collections.Immutable;

namespace TinyLlm.Grains.Sessions;

/// <summary>The vectors of texts.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.EmbeddingAnswer")]
public sealed record EmbeddingAnswer
{
    /// <summary>One for each input, in their order: the mean of the final hidden states, of length 1.</summary>
    [Id(0)] public required ImmutableArray<ImmutableArray<float>> Vectors { get; init; }

    /// <summary>Tokens of all inputs.</summary>
    [Id(1)] public required int PromptTokens { get; init; }
}
