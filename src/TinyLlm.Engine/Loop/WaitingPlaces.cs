namespace TinyLlm.Engine;

/// <summary>
/// Places of the waiting queue. One caller can't take all of them: the more are taken, the fewer it may hold, so there is one left for whoever
/// has none. Thread-safe.
/// </summary>
internal sealed class WaitingPlaces(DeviceLoopOptions options)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, int> _held = new(StringComparer.Ordinal);
    private int _taken;

    /// <summary>Places taken.</summary>
    public int Taken => Volatile.Read(ref _taken);

    /// <summary>Takes a place.</summary>
    /// <exception cref="EngineBusyException">None is left, or none for this caller.</exception>
    public void Take(string caller)
    {
        lock (_lock)
        {
            if (_taken >= options.MaxWaiting)
                throw new EngineBusyException($"{_taken} sequences wait, and {options.MaxWaiting} may: try again later", options.RetryAfter);
            int held = _held.GetValueOrDefault(caller);
            if (options.IsFair && !FairRoom.Allows(held, options.MaxWaiting - _taken))
            {
                throw new EngineBusyException(
                    $"{held} sequences of this caller wait, and the {options.MaxWaiting - _taken} places left are for others: try again later", options.RetryAfter);
            }
            _held[caller] = held + 1;
            _taken++;
        }
    }

    /// <summary>Gives a place back.</summary>
    public void Give(string caller)
    {
        lock (_lock)
        {
            _taken--;
            if (--_held[caller] == 0) _held.Remove(caller);
        }
    }
}
