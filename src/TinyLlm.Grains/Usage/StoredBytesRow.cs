using System.Collections.Immutable;

namespace TinyLlm.Grains.Usage;

/// <summary>The bytes that a user's models had at the end of a day; days without a row had what the day before had.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.StoredBytesRow")]
public sealed record StoredBytesRow
{
    /// <summary>The day, in UTC.</summary>
    [Id(0)] public required DateOnly Day { get; init; }

    /// <summary>Bytes of all versions, by model.</summary>
    [Id(1)] public required ImmutableDictionary<string, long> Models { get; init; }
}
