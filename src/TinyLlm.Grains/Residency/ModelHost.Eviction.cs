using Microsoft.Extensions.Logging;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Placement;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Residency;

/// <content>Room for what comes: bytes are reserved before they are taken, and models that nobody uses go for them.</content>
public sealed partial class ModelHost
{
    /// <summary>A guess at how soon a running answer ends and frees its model.</summary>
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(2);

    /// <summary>One eviction at a time: the bytes that one is about to free are not lacking to the next.</summary>
    private readonly SemaphoreSlim _evicting = new(1);

    private async Task ReserveAsync(Entry entry, long bytes)
    {
        if (bytes > _loop.Budget.LimitBytes)
        {
            throw new RequestException(
                RequestError.NoCapacity, $"The model needs {bytes} bytes of the accelerator, and {_loop.Budget.LimitBytes} is its budget: no repeat will help.");
        }
        await CountForOwnerAsync(entry, bytes);
        long begun = _time.GetTimestamp();
        while (!await _loop.TryReserveAsync(bytes))
        {
            if (await EvictAsync(bytes)) continue;
            throw new RequestException(RequestError.NoCapacity, "The accelerator's memory is taken by models in use: try again soon.") { RetryAfter = RetryAfter };
        }
        _meter.Waited(_time.GetElapsedTime(begun));
    }

    /// <summary>Takes the bytes of a load from its owner's bound; what of the owner's nobody uses makes room.</summary>
    private async Task CountForOwnerAsync(Entry entry, long bytes)
    {
        await _evicting.WaitAsync();
        try
        {
            List<Entry> victims = [];
            lock (_gate)
            {
                if (entry.Address.OwnerBytes is { } bound)
                {
                    long held = _entries.Values.Where(other => other.Address.Owner == entry.Address.Owner).Sum(other => other.CountedBytes);
                    victims = Choose(held + bytes - bound, other => other.Address.Owner == entry.Address.Owner) ?? throw BeyondOwnersBound(held, bytes, bound);
                }
                entry.CountedBytes = bytes;
            }
            foreach (Entry victim in victims) await UnloadAsync(victim);
        }
        finally
        {
            _evicting.Release();
        }
    }

    private static RequestException BeyondOwnersBound(long held, long bytes, long bound)
    {
        string before = $"resident bytes: this model takes {bytes}, its owner's models in use take {held}, and {bound} is the owner's bound: ";
        return bytes > bound
            ? new(RequestError.QuotaExceeded, before + "ask the operator.")
            : new(RequestError.QuotaExceeded, before + "wait for answers to end, or ask the operator.") { RetryAfter = RetryAfter };
    }

    /// <summary>Makes room for <paramref name="bytes"/> by unloading idle models; false when they don't suffice, and then none is unloaded.</summary>
    private async Task<bool> EvictAsync(long bytes)
    {
        await _evicting.WaitAsync();
        try
        {
            List<Entry>? victims;
            lock (_gate) victims = Choose(bytes - FreeBytes(), _ => true);
            if (victims is null) return false;
            foreach (Entry victim in victims) await UnloadAsync(victim);
            return true;
        }
        finally
        {
            _evicting.Release();
        }
    }

    /// <summary>Takes idle models out, if together they make up for the bytes that are lacking; null when they don't. Under the lock.</summary>
    private List<Entry>? Choose(long lackingBytes, Func<Entry, bool> mayGo) =>
        _order.Choose(lackingBytes, version => _entries[version] is { IsIdle: true, IsPinned: false } entry && mayGo(entry))?.ConvertAll(Remove);

    private Entry Remove(VersionId version)
    {
        Entry entry = _entries[version]; // what the order names has an entry
        TakeOut(entry);
        _meter.Evicted(_time.GetElapsedTime(entry.UsedAt));
        LogEvicted(_logger, version, ReservedBytes(entry));
        return entry;
    }

    /// <summary>What its owner pins belongs here, and what lies in the machine's memory costs no read of the store. Under the lock.</summary>
    private bool Declines(VersionId version, Stay stay, ServingPlace place, long bytes) =>
        stay.Setting is not { Time: null } && _tier?.Holds(version) != true
        && _room.Declines(version, place, bytes, FreeBytes(), _loop.Budget.LimitBytes, key => _entries[key] is { IsIdle: true, IsPinned: false });

    /// <summary>Free bytes, and those of the prefix cache: it goes before any model does.</summary>
    private long FreeBytes() => _loop.Budget.LimitBytes - _loop.Budget.ReservedBytes + _loop.Snapshot().PrefixBytes;

    private static long ReservedBytes(Entry entry) => entry.Loading.Result.ReservedBytes; // complete: the entry is idle

    /// <summary>
    /// The engine waits for the bytes of a cache, and <paramref name="lackingBytes"/> more must become free than are now: idle models make
    /// room. Called on the loop's thread, which must not wait.
    /// </summary>
    private void OnStarved(long lackingBytes)
    {
        long bytes = checked(FreeBytes() + lackingBytes);
        // Nobody awaits it: what it fails at is logged, and the loop asks again.
        _ = Task.Run(async () =>
        {
            try
            {
                await EvictAsync(bytes);
            }
            catch (Exception exception)
            {
                LogEvictionFailed(_logger, exception);
            }
        });
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Evicted version {Version}: {Bytes} bytes of weights")]
    private static partial void LogEvicted(ILogger logger, VersionId version, long bytes);

    [LoggerMessage(Level = LogLevel.Error, Message = "Evicting idle models failed")]
    private static partial void LogEvictionFailed(ILogger logger, Exception exception);
}
