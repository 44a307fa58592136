using System.Collections.Immutable;
using TinyLlm.SafeTensors;

namespace TinyLlm.Engine;

/// <summary>
/// A model's weights as headers and configuration tell them, checked before a byte of the weights is in memory: which files there are, that
/// index and shards agree, and every tensor. From it and the files, wherever they come from, a <see cref="Checkpoint"/> is made.
/// </summary>
public sealed class CheckpointPlan
{
    /// <summary>The weights of a model that has one file of them.</summary>
    public const string WeightsName = "model.safetensors";

    /// <summary>Says which file has which tensor, where there are several.</summary>
    public const string IndexName = "model.safetensors.index.json";

    private CheckpointPlan(DecoderConfig config, CheckpointFacts facts, IReadOnlyDictionary<string, SafeTensorsHeader> headers) =>
        (Config, Facts, Headers) = (config, facts, headers);

    /// <summary>What the model is.</summary>
    public DecoderConfig Config { get; }

    /// <summary>What its weights amount to.</summary>
    public CheckpointFacts Facts { get; }

    /// <summary>The header of each file of weights.</summary>
    public IReadOnlyDictionary<string, SafeTensorsHeader> Headers { get; }

    /// <summary>
    /// Bytes in the files of tensors that a decoder can't use in place, because it computes in another type: loaded from buffers, they are in memory
    /// twice until all is converted.
    /// </summary>
    /// <param name="weightBytes">What the decoder's weights will occupy, which tells the size of its type.</param>
    public long ConvertedBytes(long weightBytes)
    {
        double bytesPerWeight = Math.Round(weightBytes / (double)Math.Max(1, Facts.ParameterCount));
        return Headers.Values.SelectMany(header => header.Tensors).Where(tensor => tensor.DType.BitsPerElement() != 8 * bytesPerWeight).Sum(tensor => tensor.ByteCount);
    }

    /// <summary>Reads an index; null stands for a model without one.</summary>
    /// <exception cref="SafeTensorsException">It is none.</exception>
    public static ShardedIndex? ParseIndex(byte[]? json)
    {
        try
        {
            return json is null ? null : ShardedIndex.Parse(json);
        }
        catch (SafeTensorsException exception) when (exception.FileName is null)
        {
            throw exception.InFile(IndexName);
        }
    }

    /// <summary>The files of weights that a model with this index has.</summary>
    public static ImmutableArray<string> FileNames(ShardedIndex? index) =>
        index is null ? [WeightsName] : [.. index.WeightMap.Values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    /// <summary>Checks headers against index and configuration.</summary>
    /// <param name="config">From config.json, and generation_config.json where there is one.</param>
    /// <param name="index">From <see cref="ParseIndex"/>.</param>
    /// <param name="headers">Those of <see cref="FileNames"/>; one that is missing is refused.</param>
    /// <exception cref="ModelFormatException">A tensor is missing, left over, twice there, or of the wrong shape or type.</exception>
    /// <exception cref="SafeTensorsException">Index and shards disagree.</exception>
    public static CheckpointPlan Check(DecoderConfig config, ShardedIndex? index, IReadOnlyDictionary<string, SafeTensorsHeader> headers)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(headers);
        index?.Validate(headers);
        CheckpointFacts facts = CheckpointLayout.Validate(
            config, headers.SelectMany(file => file.Value.Tensors, (file, tensor) => (file.Key, tensor)));
        return new CheckpointPlan(config, facts, headers);
    }
}
