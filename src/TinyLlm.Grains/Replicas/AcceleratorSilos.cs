using Orleans.Runtime.MembershipService.SiloMetadata;
using TinyLlm.Grains.Placement;

namespace TinyLlm.Grains.Replicas;

/// <summary>Counts the active silos that have an accelerator, as this silo sees the cluster at the moment.</summary>
public sealed class AcceleratorSilos(ISiloStatusOracle silos, ISiloMetadataCache metadata)
{
    /// <summary>0: nothing can be generated.</summary>
    public int Count() => silos.GetApproximateSiloStatuses(onlyActive: true).Keys.Count(silo => SiloRoles.HasAccelerator(metadata.GetSiloMetadata(silo)));
}
