namespace TinyLlm.Engine;

/// <summary>What may differ from layer to layer.</summary>
/// <param name="AttentionScale">Multiplies the scores of attention.</param>
/// <param name="Rope">Rotary positions; null: none.</param>
/// <param name="Window">A token attends to itself and to the tokens before it, this many together; null: to all.</param>
public sealed record LayerOptions(double AttentionScale, RopeOptions? Rope = null, int? Window = null);
