using System.Collections.Immutable;

namespace TinyLlm.Engine;

/// <summary>How likely the model itself found a token, before temperature, filters, penalties or a constraint.</summary>
/// <param name="Logprob">Natural logarithm of the token's probability.</param>
/// <param name="Top">The most likely tokens of this place, the likeliest first (of equals, the lowest id first); as many as were asked for.</param>
public sealed record TokenLogprobs(double Logprob, ImmutableArray<RankedToken> Top);
