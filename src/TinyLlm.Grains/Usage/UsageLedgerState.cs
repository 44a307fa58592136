namespace TinyLlm.Grains.Usage;

/// <summary>What a ledger keeps: compacted to a row per day, model and role. Property names are the stored format.</summary>
internal sealed class UsageLedgerState
{
    /// <summary>Rows by day, then model.</summary>
    public SortedDictionary<DateOnly, Dictionary<string, ModelUse>> Days { get; set; } = [];

    /// <summary>Bytes by model, by day on which they changed.</summary>
    public SortedDictionary<DateOnly, Dictionary<string, long>> Stored { get; set; } = [];

    /// <summary>The last delta that was counted of each source.</summary>
    public Dictionary<string, CountedSource> Sources { get; set; } = [];
}

/// <summary>One model's use on one day.</summary>
internal sealed class ModelUse
{
    public UsageCount Consumer { get; set; }

    public UsageCount Owner { get; set; }
}

/// <summary>How far a source's deltas were counted.</summary>
internal sealed class CountedSource
{
    public long Number { get; set; }

    public DateTimeOffset At { get; set; }
}
