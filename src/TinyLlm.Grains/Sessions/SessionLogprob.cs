using System.Collections.Immutable;

namespace TinyLlm.Grains.Sessions;

/// <summary>A token and how likely the model found it.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.SessionLogprob")]
public sealed record SessionLogprob
{
    /// <summary>Its text by itself; a part of a character reads as U+FFFD.</summary>
    [Id(0)] public required string Token { get; init; }

    /// <summary>Its bytes; empty for special tokens.</summary>
    [Id(1)] public required ImmutableArray<byte> Bytes { get; init; }

    /// <summary>Natural logarithm of its probability; null for a prompt's first token, which nothing comes before.</summary>
    [Id(2)] public required double? Logprob { get; init; }

    /// <summary>The likeliest tokens of its place, without further ones below them.</summary>
    [Id(3)] public ImmutableArray<SessionLogprob> Top { get; init; } = [];

    /// <summary>Characters (UTF-16) of the answer before it.</summary>
    [Id(4)] public int TextOffset { get; init; }
}
