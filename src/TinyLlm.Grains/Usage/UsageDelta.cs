using System.Collections.Immutable;

namespace TinyLlm.Grains.Usage;

/// <summary>What one silo saw being used since it last told a ledger. Sent again until it is acknowledged, and counted once.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.UsageDelta")]
public sealed record UsageDelta
{
    /// <summary>The silo in its present life: a silo that starts anew is another source.</summary>
    [Id(0)] public required string Source { get; init; }

    /// <summary>Grows with every delta of a source; a ledger takes each number once.</summary>
    [Id(1)] public required long Number { get; init; }

    /// <summary>What is to be added.</summary>
    [Id(2)] public required ImmutableArray<UsageRow> Rows { get; init; }

    /// <summary>What is to be put in place of what was known of these days.</summary>
    [Id(3)] public ImmutableArray<StoredBytesRow> Stored { get; init; } = [];
}
