namespace TinyLlm.Grains.Replicas;

/// <summary>
/// How many replicas of one model version this process spreads its requests over, and what it knows of each. It grows when requests find no
/// place on the replica that answered, or no room in its batch, doubling at most once a second, and shrinks by one for
/// each minute in which none did. Every process decides by itself: replica n is the same silo for all of them, so they agree without talking.
/// Thread-safe.
/// </summary>
internal sealed class ReplicaSet(TimeProvider time)
{
    // Doubling reaches any number of silos within seconds; a second lets the last step show its effect first. A choice, not a measurement.
    private static readonly TimeSpan s_growEvery = TimeSpan.FromSeconds(1);

    // A minute without a queue: a load that comes and goes within it keeps its replicas warm.
    private static readonly TimeSpan s_shrinkAfter = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly List<int> _running = [0];
    private long _changedAt = time.GetTimestamp();
    private int _count = 1;

    /// <summary>Requests under way over all replicas.</summary>
    public int Running
    {
        get
        {
            lock (_gate) return _running.Sum();
        }
    }

    /// <summary>
    /// Takes a place on one of at most <paramref name="most"/> replicas: of two chosen at random, the one with fewer of this process's requests
    /// (Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", 2001).
    /// </summary>
    public int Enter(int most)
    {
        lock (_gate)
        {
            ShrinkWhenCalm();
            int replica = Choose(Math.Clamp(_count, 1, most));
            while (_running.Count <= replica) _running.Add(0);
            _running[replica]++;
            return replica;
        }
    }

    /// <summary>Gives the place back.</summary>
    public void Leave(int replica)
    {
        lock (_gate) _running[replica]--;
    }

    /// <summary>Tells that a replica had <paramref name="waiting"/> requests without a place, or beyond a batch.</summary>
    public void Report(int waiting, int most)
    {
        if (waiting == 0) return;
        lock (_gate)
        {
            bool mayGrow = _count < most && time.GetElapsedTime(_changedAt) >= s_growEvery;
            if (mayGrow) _count = Math.Min(_count * 2, most);
            if (mayGrow || _count >= most) _changedAt = time.GetTimestamp();
        }
    }

    private int Choose(int count)
    {
        if (count == 1) return 0;
        int one = Random.Shared.Next(count), other = Random.Shared.Next(count - 1);
        if (other >= one) other++;
        return RunningOn(one) <= RunningOn(other) ? one : other;
    }

    private int RunningOn(int replica) => replica < _running.Count ? _running[replica] : 0;

    private void ShrinkWhenCalm()
    {
        if (_count == 1 || time.GetElapsedTime(_changedAt) < s_shrinkAfter) return;
        _count--;
        _changedAt = time.GetTimestamp();
    }
}
