namespace TinyLlm.Engine;

/// <summary>What a loop counts. Its thread writes; <see cref="Waiting"/> is also raised by whoever starts a sequence. Anyone reads.</summary>
internal sealed class LoopCounters
{
    private long _steps;
    private int _running, _paused, _waiting;

    public long Steps => Interlocked.Read(ref _steps);

    public int Running => Volatile.Read(ref _running);

    public int Paused => Volatile.Read(ref _paused);

    public int Waiting => Volatile.Read(ref _waiting);

    public void AddStep() => Interlocked.Increment(ref _steps);

    public void AddRunning(int change) => Interlocked.Add(ref _running, change);

    public void AddPaused(int change) => Interlocked.Add(ref _paused, change);

    public void AddWaiting(int change) => Interlocked.Add(ref _waiting, change);
}
