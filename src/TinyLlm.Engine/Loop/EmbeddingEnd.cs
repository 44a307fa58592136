using System.Collections.Immutable;

namespace TinyLlm.Engine;

/// <summary>How the embedding of a text ended.</summary>
/// <param name="Reason">Stop when it is there; Cancelled or Failed otherwise.</param>
/// <param name="Vector">(C), the mean of the final hidden states, of length 1; empty when it is not there.</param>
/// <param name="Error">What failed, when <paramref name="Reason"/> is Failed.</param>
public sealed record EmbeddingEnd(FinishReason Reason, ImmutableArray<float> Vector, Exception? Error);
