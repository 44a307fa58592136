namespace TinyLlm.Engine;

/// <summary>Weights that a device holds.</summary>
public sealed class ResidentModel
{
    internal ResidentModel(IDecoder decoder) => Decoder = decoder;

    /// <summary>What the model is.</summary>
    public DecoderConfig Config => Decoder.Config;

    /// <summary>What its matrices are kept in.</summary>
    public ComputePrecision Precision => Decoder.Precision;

    /// <summary>Bytes that its weights occupy.</summary>
    public long WeightBytes => Decoder.WeightBytes;

    internal IDecoder Decoder { get; }

    /// <summary>Sequences that wait or run on it. Guarded by the loop's lock, as is <see cref="IsUnloaded"/>.</summary>
    internal int Sequences { get; set; }

    internal bool IsUnloaded { get; set; }
}
