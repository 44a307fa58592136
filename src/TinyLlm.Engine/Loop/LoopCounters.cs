namespace TinyLlm.Engine;

/// <summary>What a loop counts. Its thread writes, anyone reads.</summary>
internal sealed class LoopCounters
{
    private long _steps, _cacheBytes;
    private int _running, _paused, _passedOver;

    public long Steps => Interlocked.Read(ref _steps);

    public int Running => Volatile.Read(ref _running);

    public int Paused => Volatile.Read(ref _paused);

    /// <summary>Sequences that the last turn began without.</summary>
    public int PassedOver
    {
        get => Volatile.Read(ref _passedOver);
        set => Volatile.Write(ref _passedOver, value);
    }

    /// <summary>Bytes of the running sequences' caches.</summary>
    public long CacheBytes => Interlocked.Read(ref _cacheBytes);

    public void AddStep() => Interlocked.Increment(ref _steps);

    public void AddCacheBytes(long change) => Interlocked.Add(ref _cacheBytes, change);

    public void AddRunning(int change) => Interlocked.Add(ref _running, change);

    public void AddPaused(int change) => Interlocked.Add(ref _paused, change);
}
