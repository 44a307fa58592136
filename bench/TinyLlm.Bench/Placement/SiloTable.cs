using System.Runtime.CompilerServices;
using Orleans.Runtime.MembershipService.SiloMetadata;
using TinyLlm.Grains.Placement;

namespace TinyLlm.Bench.Placement;

/// <summary>What a silo knows of a cluster of active silos, all with the same metadata: tables in memory, as Orleans keeps them.</summary>
internal sealed class SiloTable(SiloAddress[] silos, SiloRoles roles) : ISiloStatusOracle, ISiloMetadataCache
{
    private readonly Dictionary<SiloAddress, SiloMetadata> _metadata = silos.ToDictionary(silo => silo, _ => MetadataOf(roles));

    public SiloStatus CurrentStatus => SiloStatus.Active;

    public string SiloName => "bench";

    public SiloAddress SiloAddress => silos[0];

    public SiloAddress[] GetActiveSilos() => [.. silos];

    public SiloMetadata GetSiloMetadata(SiloAddress siloAddress) => _metadata[siloAddress];

    public SiloStatus GetApproximateSiloStatus(SiloAddress siloAddress) => _metadata.ContainsKey(siloAddress) ? SiloStatus.Active : SiloStatus.None;

    public Dictionary<SiloAddress, SiloStatus> GetApproximateSiloStatuses(bool onlyActive = false) => silos.ToDictionary(silo => silo, _ => SiloStatus.Active);

    public bool TryGetSiloName(SiloAddress siloAddress, out string siloName)
    {
        siloName = SiloName;
        return true;
    }

    public bool IsFunctionalDirectory(SiloAddress siloAddress) => true;

    public bool IsDeadSilo(SiloAddress silo) => !_metadata.ContainsKey(silo);

    public bool SubscribeToSiloStatusEvents(ISiloStatusListener observer) => true;

    public bool UnSubscribeFromSiloStatusEvents(ISiloStatusListener observer) => true;

    private static SiloMetadata MetadataOf(SiloRoles roles)
    {
        SiloMetadata metadata = new();
        foreach ((string key, string value) in roles.ToMetadata()) Add(metadata, key, value);
        return metadata;
    }

    /// <summary>Orleans alone fills it, from what other silos say.</summary>
    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "AddMetadata")]
    private static extern void Add(SiloMetadata metadata, string key, string value);
}
