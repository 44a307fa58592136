namespace TinyLlm.Engine;

/// <summary>What a tensor is to a decoder, whatever an architecture calls it. The parts from <see cref="AttentionNorm"/> on are of a layer.</summary>
internal enum DecoderPart
{
    Embedding,
    Positions,
    EmbeddingIn,
    EmbeddingOut,
    FinalNorm,
    Output,
    AttentionNorm,
    AttentionSumNorm,
    Query,
    Key,
    Value,
    QueryKeyValue,
    AttentionOutput,
    QueryNorm,
    KeyNorm,
    MlpNorm,
    MlpSumNorm,
    Gate,
    Up,
    GateUp,
    Down,
}
