using System.Collections.Immutable;

namespace TinyLlm.Engine;

/// <summary>Rotary positions, rotating the pairs (i, i + R/2) of the first R dimensions of each head.</summary>
/// <param name="Theta">Base of the frequencies.</param>
/// <param name="RotarySize">R, even: how many of a head's dimensions turn. The others pass as they are.</param>
public sealed record RopeOptions(double Theta, int RotarySize)
{
    /// <summary>How the frequencies are changed; the members below serve it.</summary>
    public RopeScaling Scaling { get; init; } = RopeScaling.Default;

    /// <summary>By how much the context grew.</summary>
    public double Factor { get; init; } = 1;

    /// <summary>The context that the model was first trained for.</summary>
    public int OriginalContextLength { get; init; } = 1;

    /// <summary>Llama3: pairs that turn less often than this within the original context are scaled fully. Yarn's beta_slow.</summary>
    public double LowFrequencyFactor { get; init; } = 1;

    /// <summary>Llama3: pairs that turn more often than this within the original context are kept. Yarn's beta_fast.</summary>
    public double HighFrequencyFactor { get; init; } = 1;

    /// <summary>Yarn: the passage between the two begins and ends at whole pairs.</summary>
    public bool HasWholeBorders { get; init; } = true;

    /// <summary>Multiplies what is turned, of queries and keys alike.</summary>
    public double AttentionFactor { get; init; } = 1;

    /// <summary>PerPair: the factor of each of the R/2 pairs.</summary>
    public ImmutableArray<double> PairFactors { get; init; } = [];
}
