using System.Collections.Immutable;
using System.Globalization;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Usage;

/// <summary>A user's ledger of one month, as it is read.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.UsageMonth")]
public sealed record UsageMonth
{
    /// <summary>By day, model and role.</summary>
    [Id(0)] public required ImmutableArray<UsageRow> Rows { get; init; }

    /// <summary>By day.</summary>
    [Id(1)] public required ImmutableArray<StoredBytesRow> Stored { get; init; }

    /// <summary>The key of the ledger that this day of a user belongs to.</summary>
    public static string Key(UserId user, DateOnly day) => $"{user.Value}-{day.ToString("yyyyMM", CultureInfo.InvariantCulture)}";
}
