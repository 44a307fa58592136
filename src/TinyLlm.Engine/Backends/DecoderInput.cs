namespace TinyLlm.Engine;

/// <summary>One sequence's part of a forward pass.</summary>
/// <param name="Cache">Where the ids before these are, and where these go.</param>
/// <param name="Ids">At least one id: a chunk of the prompt, or the token decoded last.</param>
public readonly record struct DecoderInput(IKeyValueCache Cache, ReadOnlyMemory<int> Ids);
