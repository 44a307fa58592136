using TinyLlm.SafeTensors;

namespace TinyLlm.Engine;

/// <summary>
/// Accounts for every tensor of a checkpoint by name, shape and type, from headers alone: nothing is mapped.
/// Two kinds of tensor may be there and are not used, because they repeat what the decoder has: <c>lm_head.weight</c> of a model with tied
/// embeddings, and <c>rotary_emb.inv_freq</c>, a buffer that transformers saved before version 4.32.
/// </summary>
public static class CheckpointLayout
{
    private const int BytesPerWeight = sizeof(float);

    /// <summary>What the tensors amount to.</summary>
    /// <exception cref="ModelFormatException">One is missing, left over, twice there, or of the wrong shape or type.</exception>
    public static CheckpointFacts Validate(DecoderConfig config, IEnumerable<(string FileName, TensorInfo Tensor)> tensors)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(tensors);
        Dictionary<string, TensorSlot> open = Slots(config).ToDictionary(slot => slot.Name, StringComparer.Ordinal);
        HashSet<string> seen = new(StringComparer.Ordinal);
        long parameters = 0;
        int used = 0;
        string lastFile = "model.safetensors";
        foreach ((string file, TensorInfo tensor) in tensors)
        {
            lastFile = file;
            if (!seen.Add(tensor.Name)) throw Fault(ModelFormatError.DuplicateTensor, file, tensor, "is in two files: keep it in one");
            if (!open.Remove(tensor.Name, out TensorSlot? slot))
                throw Fault(ModelFormatError.UnexpectedTensor, file, tensor, $"has no place in {config.Architecture} with {config.LayerCount} layers: remove it, or correct config.json");
            if (!tensor.Shape.AsSpan().SequenceEqual(slot.Shape.AsSpan()))
                throw Fault(ModelFormatError.WrongTensorShape, file, tensor, $"has shape ({string.Join(", ", tensor.Shape)}), and config.json implies ({string.Join(", ", slot.Shape)})");
            if (tensor.DType is not (DType.F32 or DType.F16 or DType.BF16))
                throw Fault(ModelFormatError.WrongTensorDType, file, tensor, $"is {tensor.DType.WireName()}, and the engine loads F32, F16 and BF16: convert it");
            if (!slot.IsUsed) continue;
            parameters = checked(parameters + tensor.ElementCount);
            used++;
        }
        TensorSlot? missing = open.Values.FirstOrDefault(slot => slot.IsUsed);
        if (missing is not null)
        {
            throw new ModelFormatException(
                ModelFormatError.MissingTensor, lastFile,
                $"tensor '{missing.Name}' with shape ({string.Join(", ", missing.Shape)}) is missing: {config.Architecture} with {config.LayerCount} layers has it", missing.Name);
        }
        return new CheckpointFacts(
            config.Architecture, parameters, used, checked(parameters * BytesPerWeight), config.ContextLength, config.VocabularySize);
    }

    /// <summary>Every tensor that this decoder has.</summary>
    internal static IEnumerable<TensorSlot> Slots(DecoderConfig config)
    {
        long hidden = config.HiddenSize, inner = config.IntermediateSize, head = config.HeadSize;
        long queries = config.HeadCount * head, keys = config.KeyValueHeadCount * head;
        yield return new TensorSlot("model.embed_tokens.weight", [config.VocabularySize, hidden]);
        yield return new TensorSlot("model.norm.weight", [hidden]);
        yield return new TensorSlot("lm_head.weight", [config.VocabularySize, hidden], IsUsed: !config.TiedEmbeddings);
        for (int layer = 0; layer < config.LayerCount; layer++)
        {
            string prefix = $"model.layers.{layer}.";
            yield return new TensorSlot(prefix + "input_layernorm.weight", [hidden]);
            yield return new TensorSlot(prefix + "post_attention_layernorm.weight", [hidden]);
            yield return new TensorSlot(prefix + "self_attn.q_proj.weight", [queries, hidden]);
            yield return new TensorSlot(prefix + "self_attn.k_proj.weight", [keys, hidden]);
            yield return new TensorSlot(prefix + "self_attn.v_proj.weight", [keys, hidden]);
            yield return new TensorSlot(prefix + "self_attn.o_proj.weight", [hidden, queries]);
            yield return new TensorSlot(prefix + "mlp.gate_proj.weight", [inner, hidden]);
            yield return new TensorSlot(prefix + "mlp.up_proj.weight", [inner, hidden]);
            yield return new TensorSlot(prefix + "mlp.down_proj.weight", [hidden, inner]);
            yield return new TensorSlot(prefix + "self_attn.rotary_emb.inv_freq", [head / 2], IsUsed: false);
            if (config.HasQueryKeyValueBias)
            {
                yield return new TensorSlot(prefix + "self_attn.q_proj.bias", [queries]);
                yield return new TensorSlot(prefix + "self_attn.k_proj.bias", [keys]);
                yield return new TensorSlot(prefix + "self_attn.v_proj.bias", [keys]);
            }
            if (config.HasAttentionOutputBias) yield return new TensorSlot(prefix + "self_attn.o_proj.bias", [hidden]);
            if (config.HasMlpBias)
            {
                yield return new TensorSlot(prefix + "mlp.gate_proj.bias", [inner]);
                yield return new TensorSlot(prefix + "mlp.up_proj.bias", [inner]);
                yield return new TensorSlot(prefix + "mlp.down_proj.bias", [hidden]);
            }
            if (config.HasQueryKeyNorm)
            {
                yield return new TensorSlot(prefix + "self_attn.q_norm.weight", [head]);
                yield return new TensorSlot(prefix + "self_attn.k_norm.weight", [head]);
            }
        }
    }

    private static ModelFormatException Fault(ModelFormatError error, string file, TensorInfo tensor, string what) =>
        new(error, file, $"{file}: tensor {ForeignText.Quote(tensor.Name)} {what}", ForeignText.Cut(tensor.Name));
}
