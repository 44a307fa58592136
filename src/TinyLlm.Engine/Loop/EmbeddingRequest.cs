using System.Collections.Immutable;

namespace TinyLlm.Engine;

/// <summary>One text to embed.</summary>
public sealed record EmbeddingRequest
{
    /// <summary>At least one id of the model's vocabulary, no more than its context length.</summary>
    public required ImmutableArray<int> Ids { get; init; }

    /// <summary>Whom the work is for: turns are shared out between callers, not sequences.</summary>
    public string Caller { get; init; } = "";
}
