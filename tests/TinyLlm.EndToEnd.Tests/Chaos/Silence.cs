using System.Diagnostics;

namespace TinyLlm.EndToEnd.Tests.Chaos;

/// <summary>The longest time for which a client, waiting for an answer, heard nothing of it.</summary>
internal sealed class Silence
{
    private long _since = Stopwatch.GetTimestamp();

    public TimeSpan Longest { get; private set; }

    /// <summary>Something came.</summary>
    public void Broken()
    {
        TimeSpan lasted = Stopwatch.GetElapsedTime(_since);
        if (lasted > Longest) Longest = lasted;
        _since = Stopwatch.GetTimestamp();
    }
}
