namespace TinyLlm.Engine;

/// <summary>What matrices are kept and multiplied in. Sums, norms, positions, attention and caches are F32 in either.</summary>
public enum ComputePrecision
{
    /// <summary>F32: exact to the tolerances of the references.</summary>
    F32,

    /// <summary>BF16: half the memory, three significant digits.</summary>
    BF16,
}
