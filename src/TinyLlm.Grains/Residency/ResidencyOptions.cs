using System.ComponentModel.DataAnnotations;

namespace TinyLlm.Grains.Residency;

/// <summary>How a silo keeps models in memory, in the section "TinyLlm:Residency".</summary>
public sealed class ResidencyOptions
{
    /// <summary>How long a model stays after its last use, where neither its owner nor a request says. Default: until its room is needed.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "40.00:00:00")]
    public TimeSpan? KeepAlive { get; set; }

    /// <summary>The most that an owner or a request may ask for. Default one day.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "40.00:00:00")]
    public TimeSpan MaxKeepAlive { get; set; } = TimeSpan.FromDays(1);

    /// <summary>
    /// Bytes of the machine's memory for copies of models beside a device that has memory of its own: what is evicted there comes back without a read of the store. 0: none.
    /// Default a quarter of the machine's memory. On a CPU device it does not count, as weights lie there anyway.
    /// </summary>
    [Range(0, 1L << 46)]
    public long? HostBudgetBytes { get; set; }

    /// <summary>The share of a device's budget that pinned models of all owners may take: the rest always serves those who pin nothing. Default a half.</summary>
    [Range(0.0, 0.9)]
    public double PinnedShare { get; set; } = 0.5;
}
