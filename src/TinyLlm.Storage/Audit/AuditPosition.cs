namespace TinyLlm.Storage;

/// <summary>
/// Where a log ends, as the state that it tells of remembers it: head and place in the store. It is written together with the state, so a log
/// that says more or less than what happened is noticed.
/// </summary>
public sealed record AuditPosition
{
    /// <summary>Before the first entry.</summary>
    public static AuditPosition Start { get; } = new() { Entries = 0, Hash = AuditHead.Empty.Hash, Segment = 1, SegmentBytes = 0 };

    /// <summary>Number of entries.</summary>
    public required long Entries { get; init; }

    /// <summary>Hash of the last one.</summary>
    public required string Hash { get; init; }

    /// <summary>Number of the first entry of the last segment.</summary>
    public required long Segment { get; init; }

    /// <summary>Bytes of that segment.</summary>
    public required long SegmentBytes { get; init; }
}
