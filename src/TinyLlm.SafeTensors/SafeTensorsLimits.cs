namespace TinyLlm.SafeTensors;

/// <summary>
/// The bounds that keep the memory and the time that a foreign header can cost within reason. Where the reference
/// implementation has the bound too, the summary says so; the others are ours.
/// </summary>
public static class SafeTensorsLimits
{
    /// <summary>Bytes of the length prefix: an unsigned 64-bit little-endian number.</summary>
    public const int PrefixBytes = 8;

    /// <summary>Bytes of a header, padding included; the reference's bound.</summary>
    public const int MaxHeaderBytes = 100_000_000;

    /// <summary>Tensors in a file, and entries of a sharded index.</summary>
    public const int MaxTensors = 65_536;

    /// <summary>
    /// Entries of <c>__metadata__</c>. One entry takes some 250 bytes beside its text (measured), so without a bound 16 MiB of the shortest keys
    /// would take more than one GiB; files in the wild have a hundred at most.
    /// </summary>
    public const int MaxMetadataEntries = 8_192;

    /// <summary>Dimensions of a tensor.</summary>
    public const int MaxRank = 8;

    /// <summary>Dimensions and offsets: 2^48 - 1, 256 TiB.</summary>
    public const long MaxInteger = (1L << 48) - 1;

    /// <summary>Tensor names plus metadata keys and values, in bytes of UTF-8 after unescaping.</summary>
    public const int MaxTextBytes = 16 << 20;
}
