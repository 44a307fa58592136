namespace TinyLlm.Engine;

/// <summary>How a vector is normalised.</summary>
public enum NormKind
{
    /// <summary>x / rms(x) * w (Zhang and Sennrich, 2019).</summary>
    Rms,

    /// <summary>x / rms(x) * (1 + w): Gemma stores the distance from one.</summary>
    RmsFromOne,

    /// <summary>(x - mean) / deviation * w + b (Ba et al., 2016).</summary>
    Layer,
}
