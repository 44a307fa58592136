using System.Collections.Immutable;

namespace TinyLlm.Grains.Usage;

/// <summary>
/// What a silo has to tell one ledger. At most one delta is under way; it is sent as it is until it is acknowledged, and what is used meanwhile
/// gathers for the next. Its caller locks.
/// </summary>
internal sealed class UsageOutbox
{
    private readonly Dictionary<(DateOnly Day, string Model, UsageRole Role), UsageCount> _rows = [];
    private readonly Dictionary<DateOnly, ImmutableDictionary<string, long>> _stored = [];

    /// <summary>The delta under way.</summary>
    public UsageDelta? Pending { get; private set; }

    public bool IsEmpty => Pending is null && _rows.Count == 0 && _stored.Count == 0;

    public void Add(DateOnly day, string model, UsageRole role, UsageCount count)
    {
        (DateOnly, string, UsageRole) key = (day, model, role);
        _rows[key] = _rows.GetValueOrDefault(key) + count;
    }

    public void SetStored(DateOnly day, ImmutableDictionary<string, long> models) => _stored[day] = models;

    /// <summary>The delta to send now: the one under way, or a new one of what has gathered.</summary>
    public UsageDelta Next(string source, Func<long> nextNumber)
    {
        if (Pending is not null) return Pending;
        Pending = new UsageDelta
        {
            Source = source,
            Number = nextNumber(),
            Rows = [.. _rows.Select(row => new UsageRow { Day = row.Key.Day, Model = row.Key.Model, Role = row.Key.Role, Count = row.Value })],
            Stored = [.. _stored.Select(row => new StoredBytesRow { Day = row.Key, Models = row.Value })],
        };
        _rows.Clear();
        _stored.Clear();
        return Pending;
    }

    public void Acknowledge() => Pending = null;
}
