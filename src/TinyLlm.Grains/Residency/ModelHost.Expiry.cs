using Microsoft.Extensions.Logging;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Residency;

/// <content>How long models stay that nobody uses, and which of them nothing drives out.</content>
public sealed partial class ModelHost
{
    private readonly ITimer _expiry;
    private long? _nextExpiryAt; // a timestamp; null: the timer is not set

    /// <summary>Takes what a request says: its own wish, else a changed setting of the owner's, else nothing changes. Called with the gate held, of a loaded model.</summary>
    private void Apply(Entry entry, Stay stay)
    {
        bool isNews = !entry.IsSettled || entry.Setting != stay.Setting;
        (entry.IsSettled, entry.Setting) = (true, stay.Setting);
        if (isNews) entry.KeepAlive = stay.Setting ?? (_options.KeepAlive is { } time ? KeepAlive.For(time) : null);
        if (stay.Asked is not null) entry.KeepAlive = stay.Asked;
        entry.IsPinned = entry.KeepAlive is { Time: null } && MayPin(entry, stay.PinnableBytes);
    }

    /// <summary>Within what the owner may pin, and within what all together may: a silo full of pinned models would serve nobody else.</summary>
    private bool MayPin(Entry entry, long pinnableBytes)
    {
        long bytes = ReservedBytes(entry);
        Entry[] pinned = [.. _entries.Values.Where(other => other.IsPinned && other != entry)];
        return pinned.Where(other => other.Address.Owner == entry.Address.Owner).Sum(ReservedBytes) + bytes <= pinnableBytes
            && pinned.Sum(ReservedBytes) + bytes <= (long)(_loop.Budget.LimitBytes * _options.PinnedShare);
    }

    private TimeSpan? Lifetime(Entry entry) => entry.KeepAlive?.Time is not { } time ? null : time < _options.MaxKeepAlive ? time : _options.MaxKeepAlive;

    private DateTimeOffset? ExpiresAt(Entry entry) =>
        entry.IsIdle && Lifetime(entry) is { } lifetime ? _time.GetUtcNow() + lifetime - _time.GetElapsedTime(entry.UsedAt) : null;

    /// <summary>An entry became idle. Called with the gate held.</summary>
    private void AwaitExpiry(Entry entry)
    {
        if (!entry.IsIdle || Lifetime(entry) is not { } lifetime) return;
        long at = entry.UsedAt + (long)(lifetime.TotalSeconds * _time.TimestampFrequency);
        if (_nextExpiryAt is { } next && next <= at) return;
        _nextExpiryAt = at;
        TimeSpan left = lifetime - _time.GetElapsedTime(entry.UsedAt);
        _expiry.Change(left > TimeSpan.Zero ? left : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The timer rang.</summary>
    private void Expire()
    {
        List<Entry> over = [];
        lock (_gate)
        {
            _nextExpiryAt = null;
            if (_stopping.IsCancellationRequested) return;
            foreach (Entry entry in _entries.Values.ToArray())
            {
                if (!entry.IsIdle || Lifetime(entry) is not { } lifetime) continue;
                if (_time.GetElapsedTime(entry.UsedAt) < lifetime)
                {
                    AwaitExpiry(entry);
                    continue;
                }
                TakeOut(entry);
                over.Add(entry);
            }
        }
        // Nobody awaits them: what they fail at is logged.
        foreach (Entry entry in over) _ = Task.Run(() => UnloadExpiredAsync(entry));
    }

    private async Task UnloadExpiredAsync(Entry entry)
    {
        try
        {
            await UnloadAsync(entry);
            LogExpired(_logger, entry.Address.Version);
        }
        catch (Exception exception)
        {
            LogExpiryFailed(_logger, entry.Address.Version, exception);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Unloaded version {Version}: its time was over")]
    private static partial void LogExpired(ILogger logger, VersionId version);

    [LoggerMessage(Level = LogLevel.Error, Message = "Unloading version {Version}, whose time was over, failed")]
    private static partial void LogExpiryFailed(ILogger logger, VersionId version, Exception exception);
}
