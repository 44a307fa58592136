using TinyLlm.SafeTensors;

namespace TinyLlm.Engine;

/// <summary>
/// Accounts for every tensor of a checkpoint by name, shape and type, from headers alone: nothing is mapped.
/// Some may be there and are not used, because they repeat what the decoder has: the output matrix of a model with tied embeddings, and
/// buffers of rotary frequencies and causal masks, which older versions of transformers saved.
/// </summary>
public static class CheckpointLayout
{
    /// <summary>What the tensors amount to.</summary>
    /// <exception cref="ModelFormatException">One is missing, left over, twice there, or of the wrong shape or type.</exception>
    public static CheckpointFacts Validate(DecoderConfig config, IEnumerable<(string FileName, TensorInfo Tensor)> tensors)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(tensors);
        (string FileName, TensorInfo Tensor)[] all = [.. tensors];
        TensorNames names = TensorNameTable.Of(config).WithPrefixOf(all.Select(entry => entry.Tensor.Name));
        Dictionary<string, TensorSlot> open = TensorSlots.Of(config, names).ToDictionary(slot => slot.Name, StringComparer.Ordinal);
        HashSet<string> seen = new(StringComparer.Ordinal);
        long parameters = 0;
        int used = 0;
        string lastFile = "model.safetensors";
        foreach ((string file, TensorInfo tensor) in all)
        {
            lastFile = file;
            if (!seen.Add(tensor.Name)) throw Fault(ModelFormatError.DuplicateTensor, file, tensor, "is in two files: keep it in one");
            if (!open.Remove(tensor.Name, out TensorSlot? slot))
                throw Fault(ModelFormatError.UnexpectedTensor, file, tensor, $"has no place in {config.Architecture} with {config.LayerCount} layers: remove it, or correct config.json");
            if (!tensor.Shape.AsSpan().SequenceEqual(slot.Shape.AsSpan()))
                throw Fault(ModelFormatError.WrongTensorShape, file, tensor, $"has shape ({string.Join(", ", tensor.Shape)}), and config.json implies ({string.Join(", ", slot.Shape)})");
            if (!slot.IsUsed) continue;
            if (tensor.DType is not (DType.F32 or DType.F16 or DType.BF16))
                throw Fault(ModelFormatError.WrongTensorDType, file, tensor, $"is {tensor.DType.WireName()}, and the engine loads F32, F16 and BF16: convert it");
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
            config.Architecture, parameters, used, WeightBytes(config, ComputePrecision.F32), config.ContextLength, config.VocabularySize);
    }

    /// <summary>What all weights that are used occupy once loaded: vectors as F32, matrices in <paramref name="precision"/>.</summary>
    public static long WeightBytes(DecoderConfig config, ComputePrecision precision)
    {
        ArgumentNullException.ThrowIfNull(config);
        long bytes = 0;
        foreach (TensorSlot slot in TensorSlots.Of(config, TensorNameTable.Of(config)))
        {
            if (!slot.IsUsed) continue;
            bool isShort = precision == ComputePrecision.BF16 && slot.Shape.Length > 1;
            bytes = checked(bytes + slot.Shape.Aggregate(isShort ? sizeof(ushort) : (long)sizeof(float), (product, size) => checked(product * size)));
        }
        return bytes;
    }

    private static ModelFormatException Fault(ModelFormatError error, string file, TensorInfo tensor, string what) =>
        new(error, file, $"{file}: tensor {ForeignText.Quote(tensor.Name)} {what}", ForeignText.Cut(tensor.Name));
}
