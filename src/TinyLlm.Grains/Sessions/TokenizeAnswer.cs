using System.Collections.Immutable;

namespace TinyLlm.Grains.Sessions;

/// <summary>A tokenized prompt.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.TokenizeAnswer")]
public sealed record TokenizeAnswer
{
    /// <summary>Its ids.</summary>
    [Id(0)] public required ImmutableArray<int> Ids { get; init; }

    /// <summary>The vocabulary's own text of each id, where it was asked for; an id without a token has an empty one.</summary>
    [Id(1)] public ImmutableArray<string>? Tokens { get; init; }
}
