using Orleans.Runtime.MembershipService.SiloMetadata;

namespace TinyLlm.Grains.Placement;

/// <summary>
/// What a silo says of itself in its silo metadata: its roles and its accelerator. Written once at start, read by placement.
/// </summary>
public sealed record SiloRoles
{
    private const string CoreKey = "tinyllm.core";
    private const string AcceleratorKey = "tinyllm.accelerator";
    private const string BudgetKey = "tinyllm.budget-bytes";

    /// <summary>Whether user grains may live here.</summary>
    public required bool Core { get; init; }

    /// <summary>The accelerator's kind ("cuda" or "cpu"), or null where no model session may run.</summary>
    public string? Accelerator { get; init; }

    /// <summary>Bytes that weights and caches may take on the accelerator.</summary>
    public long BudgetBytes { get; init; }

    /// <summary>The dictionary for <c>UseSiloMetadata</c>.</summary>
    public Dictionary<string, string> ToMetadata()
    {
        Dictionary<string, string> metadata = [];
        if (Core) metadata[CoreKey] = "true";
        if (Accelerator is not null)
        {
            metadata[AcceleratorKey] = Accelerator;
            metadata[BudgetKey] = BudgetBytes.ToString(System.Globalization.CultureInfo.InvariantCulture);
        }
        return metadata;
    }

    internal static bool IsCore(SiloMetadata silo) => silo.Metadata.ContainsKey(CoreKey);

    internal static bool HasAccelerator(SiloMetadata silo) => silo.Metadata.ContainsKey(AcceleratorKey);
}
