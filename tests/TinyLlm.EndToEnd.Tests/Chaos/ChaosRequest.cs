using System.Diagnostics;

namespace TinyLlm.EndToEnd.Tests.Chaos;

/// <summary>One request as its client saw it, the second attempt included.</summary>
/// <param name="Client">Who asked.</param>
/// <param name="Kind">What was asked.</param>
/// <param name="Begun">When, as a timestamp of <see cref="Stopwatch"/>.</param>
/// <param name="Ended">When the answer was whole, or given up.</param>
/// <param name="Silence">The longest time without a sign of the answer.</param>
/// <param name="IsServed">Whether one of the two attempts was answered wholly.</param>
/// <param name="Faults">What went wrong with each attempt that failed.</param>
internal sealed record ChaosRequest(object Client, string Kind, long Begun, long Ended, TimeSpan Silence, bool IsServed, IReadOnlyList<string> Faults)
{
    /// <summary>From the first attempt to the end of the last.</summary>
    public TimeSpan Lasted => Stopwatch.GetElapsedTime(Begun, Ended);
}
