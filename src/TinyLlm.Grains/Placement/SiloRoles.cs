using Orleans.Runtime.MembershipService.SiloMetadata;

namespace TinyLlm.Grains.Placement;

/// <summary>
/// What a silo says of itself in its silo metadata: its roles and its accelerator. Written once at start, read by placement.
/// </summary>
public sealed record SiloRoles
{
    private const string ApiKey = "tinyllm.api";
    private const string CoreKey = "tinyllm.core";
    private const string AcceleratorKey = "tinyllm.accelerator";
    private const string BudgetKey = "tinyllm.budget-bytes";

    /// <summary>Whether it serves the HTTP API.</summary>
    public bool Api { get; init; }

    /// <summary>Whether user grains may live here.</summary>
    public required bool Core { get; init; }

    /// <summary>The accelerator's kind ("cuda" or "cpu"), or null where no model session may run.</summary>
    public string? Accelerator { get; init; }

    /// <summary>Bytes that weights and caches may take on the accelerator.</summary>
    public long BudgetBytes { get; init; }

    /// <summary>The roles' names.</summary>
    public IReadOnlyList<string> Names => [.. new[] { Api ? "api" : null, Core ? "core" : null, Accelerator is null ? null : "gpu" }.OfType<string>()];

    /// <summary>What a silo said in its metadata.</summary>
    internal static SiloRoles Of(SiloMetadata silo) => new()
    {
        Api = silo.Metadata.ContainsKey(ApiKey),
        Core = IsCore(silo),
        Accelerator = silo.Metadata.GetValueOrDefault(AcceleratorKey),
        BudgetBytes = silo.Metadata.TryGetValue(BudgetKey, out string? bytes) ? long.Parse(bytes, System.Globalization.CultureInfo.InvariantCulture) : 0,
    };

    /// <summary>The dictionary for <c>UseSiloMetadata</c>.</summary>
    public Dictionary<string, string> ToMetadata()
    {
        Dictionary<string, string> metadata = [];
        if (Api) metadata[ApiKey] = "true";
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
