namespace TinyLlm.Engine;

/// <summary>One of the most likely tokens of a place.</summary>
/// <param name="Id">The token.</param>
/// <param name="Logprob">Natural logarithm of its probability.</param>
public readonly record struct RankedToken(int Id, double Logprob);
