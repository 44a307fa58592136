using TinyLlm.Storage;

namespace TinyLlm.Grains.Residency;

/// <summary>A model in memory.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.ResidentReport")]
public sealed record ResidentReport
{
    /// <summary>"owner/model", as the last lease on it said.</summary>
    [Id(0)] public required string Model { get; init; }

    /// <summary>The version's internal id.</summary>
    [Id(1)] public required VersionId Version { get; init; }

    /// <summary>Bytes of its weights.</summary>
    [Id(2)] public required long Bytes { get; init; }

    /// <summary>What its matrices are kept in.</summary>
    [Id(3)] public required string Precision { get; init; }

    /// <summary>Requests that use it now.</summary>
    [Id(4)] public required int Streams { get; init; }

    /// <summary>When it goes if nobody uses it; null: when something else needs its room.</summary>
    [Id(5)] public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>Whether nothing drives it out but its owner.</summary>
    [Id(6)] public bool Pinned { get; init; }
}
