using System.Diagnostics;
using TinyLlm.Tests;

namespace TinyLlm.SimulatedHost;

/// <summary>A simulated device with a speed: each forward takes its tokens' time, in which the thread sleeps. What it says is one letter.</summary>
internal static class PacedBackend
{
    private const long DefaultBudgetBytes = 1L << 30;

    // The letter "a" in a vocabulary of bytes after three special tokens.
    private const int Letter = 3 + 'a';

    /// <param name="tokensPerSecond">Null: forwards take no time.</param>
    /// <param name="loadSeconds">What a load takes.</param>
    /// <param name="budgetBytes">Null: a gigabyte.</param>
    public static SimulatedBackend Create(double? tokensPerSecond, double loadSeconds, long? budgetBytes)
    {
        SimulatedBackend backend = new(budgetBytes ?? DefaultBudgetBytes) { Next = static _ => Letter };
        if (loadSeconds > 0) backend.Loads = () => Thread.Sleep(TimeSpan.FromSeconds(loadSeconds));
        if (tokensPerSecond is { } speed) backend.Stepped = new Pace(speed).Step;
        return backend;
    }

    /// <summary>Sleeps until what a device of this speed has been given would be computed. Oversleeping is made up for by the next steps, idle time is not.</summary>
    private sealed class Pace(double tokensPerSecond)
    {
        // A longer pause before a step than any oversleeping was the device's being idle.
        private static readonly TimeSpan s_idle = TimeSpan.FromMilliseconds(50);

        private long _readyAt = Stopwatch.GetTimestamp();

        public void Step(SimulatedBackend.Step step)
        {
            if (Stopwatch.GetElapsedTime(_readyAt) > s_idle) _readyAt = Stopwatch.GetTimestamp();
            _readyAt += (long)(step.Ids.Sum() / tokensPerSecond * Stopwatch.Frequency);
            TimeSpan left = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), _readyAt);
            if (left > TimeSpan.Zero) Thread.Sleep(left);
        }
    }
}
