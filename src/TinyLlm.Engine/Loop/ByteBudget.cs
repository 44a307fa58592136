namespace TinyLlm.Engine;

/// <summary>Counts a device's memory: what is reserved never exceeds the limit. Knows no tensor. Thread-safe.</summary>
public sealed class ByteBudget
{
    private long _reserved;

    /// <summary>An empty budget.</summary>
    public ByteBudget(long limitBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(limitBytes);
        LimitBytes = limitBytes;
    }

    /// <summary>The most that may be reserved.</summary>
    public long LimitBytes { get; }

    /// <summary>What is reserved now.</summary>
    public long ReservedBytes => Interlocked.Read(ref _reserved);

    /// <summary>Set by the device's loop: bytes became free.</summary>
    internal Action? Released { get; set; }

    /// <summary>Reserves all of <paramref name="bytes"/> or nothing.</summary>
    public bool TryReserve(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        while (true)
        {
            long reserved = ReservedBytes;
            if (bytes > LimitBytes - reserved) return false;
            if (Interlocked.CompareExchange(ref _reserved, reserved + bytes, reserved) == reserved) return true;
        }
    }

    /// <summary>Gives back what was reserved. Throws when that is more than is reserved.</summary>
    public void Release(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        while (true)
        {
            long reserved = ReservedBytes;
            if (bytes > reserved)
                throw new InvalidOperationException($"{bytes} bytes released, but only {reserved} are reserved: a reservation was released twice");
            if (Interlocked.CompareExchange(ref _reserved, reserved - bytes, reserved) == reserved) break;
        }
        Released?.Invoke();
    }
}
