namespace TinyLlm.Engine;

/// <summary>What is added to one token's logit.</summary>
/// <param name="Id">The token.</param>
/// <param name="Bias">From -100, which all but forbids it, to 100, which all but forces it.</param>
public readonly record struct TokenBias(int Id, double Bias);
