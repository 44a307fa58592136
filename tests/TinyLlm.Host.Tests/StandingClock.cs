namespace TinyLlm.Host.Tests;

/// <summary>A wall clock that stands still until a test moves it. Timers stay real, because the host lives by them.</summary>
internal sealed class StandingClock : TimeProvider
{
    private long _ticks = System.GetUtcNow().UtcTicks;

    public override DateTimeOffset GetUtcNow() => new(Interlocked.Read(ref _ticks), TimeSpan.Zero);

    public void Advance(TimeSpan time) => Interlocked.Add(ref _ticks, time.Ticks);
}
