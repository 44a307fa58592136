namespace TinyLlm.Engine;

/// <summary>One token of a completion.</summary>
/// <param name="Id">Its id in the model's vocabulary.</param>
public readonly record struct GeneratedToken(int Id);
