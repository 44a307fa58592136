namespace TinyLlm.Grains.Residency;

/// <summary>What one silo holds and does, as it says itself.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.SiloReport")]
public sealed record SiloReport
{
    /// <summary>Whether it takes no new sessions, because it is leaving.</summary>
    [Id(0)] public required bool Draining { get; init; }

    /// <summary>The accelerator, or null where there is none.</summary>
    [Id(1)] public DeviceReport? Device { get; init; }
}
