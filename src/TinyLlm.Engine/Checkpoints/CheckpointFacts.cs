namespace TinyLlm.Engine;

/// <summary>What a validated checkpoint holds.</summary>
/// <param name="Architecture">As in config.json.</param>
/// <param name="ParameterCount">Elements of all tensors that the decoder uses.</param>
/// <param name="TensorCount">Tensors that the decoder uses.</param>
/// <param name="WeightBytes">What they occupy once loaded, as F32: in place where the file holds F32, copied where it holds F16 or BF16.</param>
/// <param name="ContextLength">Most tokens of prompt and completion together.</param>
/// <param name="VocabularySize">Tokens that the model knows.</param>
public sealed record CheckpointFacts(
    string Architecture, long ParameterCount, int TensorCount, long WeightBytes, int ContextLength, int VocabularySize);
