namespace TinyLlm.Engine;

/// <summary>What one caller has received from a device, and holds of it now. The loop's thread owns it.</summary>
internal sealed class CallerShare
{
    // The weights of Sheng et al., "Fairness in Serving Large Language Models", 2024: an output token costs twice an input token.
    private const double InputWeight = 1, OutputWeight = 2;

    /// <summary>Weighted tokens that were computed for the caller: its virtual token counter.</summary>
    public double Service { get; set; }

    /// <summary>Its sequences that wait or run.</summary>
    public int Sequences { get; set; }

    /// <summary>When the last of its sequences ended; says nothing while there are some.</summary>
    public long LeftAt { get; set; }

    /// <summary>Its sequences that run.</summary>
    public int Slots { get; set; }

    /// <summary>Bytes of their caches.</summary>
    public long CacheBytes { get; set; }

    public void ChargeInput(int tokens) => Service += InputWeight * tokens;

    public void ChargeOutput(int tokens) => Service += OutputWeight * tokens;
}
