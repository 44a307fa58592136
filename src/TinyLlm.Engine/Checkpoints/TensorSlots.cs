namespace TinyLlm.Engine;

/// <summary>Every tensor that a configuration implies, with its shape.</summary>
internal static class TensorSlots
{
    public static IEnumerable<TensorSlot> Of(DecoderConfig config, TensorNames names)
    {
        IEnumerable<TensorSlot> slots = Outside(config, names);
        for (int layer = 0; layer < config.LayerCount; layer++)
            slots = slots.Concat(Attention(config, names, layer)).Concat(Mlp(config, names, layer)).Concat(Buffers(config, names, layer));
        return slots;
    }

    private static IEnumerable<TensorSlot> Outside(DecoderConfig config, TensorNames names)
    {
        long embedding = config.EmbeddingSize, hidden = config.HiddenSize;
        yield return new(names.Of(DecoderPart.Embedding) + ".weight", [config.VocabularySize, embedding]);
        if (config.Positions is PositionTable positions) yield return new(names.Of(DecoderPart.Positions) + ".weight", [positions.Rows, hidden]);
        if (embedding != hidden)
        {
            yield return new(names.Of(DecoderPart.EmbeddingIn) + ".weight", [hidden, embedding]);
            yield return new(names.Of(DecoderPart.EmbeddingOut) + ".weight", [embedding, hidden]);
        }
        if (config.HasFinalNorm)
        {
            foreach (TensorSlot slot in Norm(config, names.Of(DecoderPart.FinalNorm), hidden)) yield return slot;
        }
        if (config.Output != OutputMatrix.None)
            yield return new(names.Of(DecoderPart.Output) + ".weight", [config.VocabularySize, embedding], IsUsed: config.Output == OutputMatrix.Own);
        if (config.HasOutputBias) yield return new(names.Of(DecoderPart.Output) + ".bias", [config.VocabularySize]);
    }

    private static IEnumerable<TensorSlot> Attention(DecoderConfig config, TensorNames names, int layer)
    {
        long hidden = config.HiddenSize, queries = config.HeadCount * config.HeadSize, keys = config.KeyValueHeadCount * config.HeadSize;
        bool hasBias = config.HasQueryKeyValueBias;
        IEnumerable<TensorSlot> slots = Norm(config, names.Of(DecoderPart.AttentionNorm, layer), hidden);
        slots = names.QueryKeyValue == QueryKeyValueLayout.Separate
            ? slots.Concat(Matrix(DecoderPart.Query, queries)).Concat(Matrix(DecoderPart.Key, keys)).Concat(Matrix(DecoderPart.Value, keys))
            : slots.Concat(Matrix(DecoderPart.QueryKeyValue, queries + 2 * keys));
        slots = slots.Concat(TensorSlots.Matrix(names, names.Of(DecoderPart.AttentionOutput, layer), hidden, queries, config.HasAttentionOutputBias));
        if (config.HasQueryKeyNorm)
            slots = slots.Concat(Norm(config, names.Of(DecoderPart.QueryNorm, layer), config.HeadSize)).Concat(Norm(config, names.Of(DecoderPart.KeyNorm, layer), config.HeadSize));
        return config.NormPlacement == NormPlacement.Around ? slots.Concat(Norm(config, names.Of(DecoderPart.AttentionSumNorm, layer), hidden)) : slots;

        IEnumerable<TensorSlot> Matrix(DecoderPart part, long outputs) => TensorSlots.Matrix(names, names.Of(part, layer), outputs, hidden, hasBias);
    }

    private static IEnumerable<TensorSlot> Mlp(DecoderConfig config, TensorNames names, int layer)
    {
        long hidden = config.HiddenSize, inner = config.IntermediateSize;
        IEnumerable<TensorSlot> slots = Norm(config, names.Of(DecoderPart.MlpNorm, layer), hidden);
        if (names.HasGateAboveUp)
        {
            slots = slots.Concat(Matrix(DecoderPart.GateUp, 2 * inner, hidden));
        }
        else
        {
            if (config.HasGate) slots = slots.Concat(Matrix(DecoderPart.Gate, inner, hidden));
            slots = slots.Concat(Matrix(DecoderPart.Up, inner, hidden));
        }
        slots = slots.Concat(Matrix(DecoderPart.Down, hidden, inner));
        return config.NormPlacement == NormPlacement.Around ? slots.Concat(Norm(config, names.Of(DecoderPart.MlpSumNorm, layer), hidden)) : slots;

        IEnumerable<TensorSlot> Matrix(DecoderPart part, long outputs, long inputs) => TensorSlots.Matrix(names, names.Of(part, layer), outputs, inputs, config.HasMlpBias);
    }

    private static IEnumerable<TensorSlot> Buffers(DecoderConfig config, TensorNames names, int layer)
    {
        if (names.FrequencyBuffer is string frequencies && config.Layers[layer].Rope is RopeOptions rope)
            yield return new(names.InLayer(layer, frequencies), [rope.RotarySize / 2], IsUsed: false);
        if (names.MaskBuffer is string mask) yield return new(names.InLayer(layer, mask), [1, 1, config.ContextLength, config.ContextLength], IsUsed: false);
        if (names.MaskedScoreBuffer is string masked) yield return new(names.InLayer(layer, masked), [], IsUsed: false);
    }

    private static IEnumerable<TensorSlot> Norm(DecoderConfig config, string name, long size)
    {
        yield return new(name + ".weight", [size]);
        if (config.Norm == NormKind.Layer) yield return new(name + ".bias", [size]);
    }

    private static IEnumerable<TensorSlot> Matrix(TensorNames names, string name, long outputs, long inputs, bool hasBias)
    {
        yield return new(name + ".weight", names.IsInputFirst ? [inputs, outputs] : [outputs, inputs]);
        if (hasBias) yield return new(name + ".bias", [outputs]);
    }
}
