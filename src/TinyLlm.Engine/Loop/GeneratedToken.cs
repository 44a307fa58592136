namespace TinyLlm.Engine;

/// <summary>One token of a completion.</summary>
/// <param name="Id">Its id in the model's vocabulary.</param>
/// <param name="Logprobs">How likely the model found it, where the request asks.</param>
public readonly record struct GeneratedToken(int Id, TokenLogprobs? Logprobs = null);
