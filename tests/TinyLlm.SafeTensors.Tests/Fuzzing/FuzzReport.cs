namespace TinyLlm.SafeTensors.Tests.Fuzzing;

/// <summary>What a fuzz run saw.</summary>
/// <param name="Count">Inputs read.</param>
/// <param name="Accepted">Inputs found legal, by the reader and the oracle alike.</param>
/// <param name="RefusedBy">Inputs refused, by rule.</param>
/// <param name="MaxAllocatedBytes">The most that reading one input allocated, all together.</param>
/// <param name="MaxAllocatedInput">That input's number.</param>
/// <param name="Slowest">The longest that reading one input took.</param>
internal sealed record FuzzReport(
    long Count,
    long Accepted,
    IReadOnlyDictionary<SafeTensorsError, long> RefusedBy,
    long MaxAllocatedBytes,
    long MaxAllocatedInput,
    TimeSpan Slowest);
