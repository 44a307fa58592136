namespace TinyLlm.Engine;

/// <summary>A device's counters at one moment.</summary>
/// <param name="Steps">Turns that ran at least one model.</param>
/// <param name="RunningSequences">Sequences that hold a slot and a cache.</param>
/// <param name="WaitingSequences">Sequences that wait for one.</param>
/// <param name="PausedSequences">Of the running ones, those whose reader is a channel's worth behind.</param>
/// <param name="ReservedBytes">Weights, caches and the prefix cache.</param>
/// <param name="LiveTensors">The backend's tensors.</param>
/// <param name="PrefixBytes">Of the reserved bytes, those of the prefix cache, which goes when anything else needs them.</param>
public sealed record LoopSnapshot(
    long Steps, int RunningSequences, int WaitingSequences, int PausedSequences, long ReservedBytes, long LiveTensors, long PrefixBytes)
{
    /// <summary>Of the waiting sequences, those that the last turn found no place for; the others have come since, and may well have one in the next.</summary>
    public int PassedOverSequences { get; init; }

    /// <summary>Of the reserved bytes, those of the running sequences' caches.</summary>
    public long CacheBytes { get; init; }

    /// <summary><see cref="CacheBytes"/> as a share of what caches could take now: what they have, what is free, and what the prefix cache would give up.</summary>
    public double CacheUsage { get; init; }
}
