namespace TinyLlm.Grains.Sessions;

/// <summary>What is added to one token's logit.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.SessionBias")]
public readonly record struct SessionBias([property: Id(0)] int Token, [property: Id(1)] double Bias);
