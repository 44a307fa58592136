using System.ComponentModel.DataAnnotations;

namespace TinyLlm.Grains.Collection;

/// <summary>When abandoned bytes are looked for, and from which age on they go.</summary>
public sealed class CollectionOptions
{
    /// <summary>
    /// How long nobody must have written to bytes that no record names before they are removed. Default one hour: far longer than a writer goes on after
    /// it lost its right to (a minute), short enough that a disk does not fill with them.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "30.00:00:00")]
    public TimeSpan Grace { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Time between two passes; one more runs at the start. Default six hours: a pass asks every owner once.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "30.00:00:00")]
    public TimeSpan Interval { get; set; } = TimeSpan.FromHours(6);
}
