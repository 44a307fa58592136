using System.Collections.Immutable;

namespace TinyLlm.Grains.Residency;

/// <summary>An accelerator and what is on it.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.DeviceReport")]
public sealed record DeviceReport
{
    /// <summary>"cuda" or "cpu".</summary>
    [Id(0)] public required string Kind { get; init; }

    /// <summary>The device's own name.</summary>
    [Id(1)] public required string Name { get; init; }

    /// <summary>Bytes that weights and caches may take together.</summary>
    [Id(2)] public required long BudgetBytes { get; init; }

    /// <summary>Bytes that they take.</summary>
    [Id(3)] public required long UsedBytes { get; init; }

    /// <summary>Sequences in the running batch.</summary>
    [Id(4)] public required int Running { get; init; }

    /// <summary>Sequences that wait for a place.</summary>
    [Id(5)] public required int Waiting { get; init; }

    /// <summary>Bytes of the machine's memory that copies of models may take beside a device that has its own; 0: none are kept.</summary>
    [Id(7)] public long HostBudgetBytes { get; init; }

    /// <summary>Bytes that they take.</summary>
    [Id(8)] public long HostBytes { get; init; }

    /// <summary>Models in memory, the last used first.</summary>
    [Id(6)] public required ImmutableArray<ResidentReport> Models { get; init; }
}
