using System.Collections.Concurrent;
using Orleans.Runtime.MembershipService.SiloMetadata;
using TinyLlm.Grains.Placement;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Replicas;

/// <summary>
/// Step 4 of a request's life: the silos that have an accelerator, as this silo sees the cluster at the moment, ranked for a version by rendezvous hash.
/// So the same version meets the same silos from every caller without a shared table, and a silo that joins or leaves moves only its own share, at once.
/// </summary>
public sealed class AcceleratorSilos(ISiloStatusOracle silos, ISiloMetadataCache metadata)
{
    /// <summary>Silos that refused because they are leaving: members still, while their running answers end.</summary>
    private readonly ConcurrentDictionary<SiloAddress, bool> _leaving = [];

    /// <summary>0: nothing can be generated.</summary>
    public int Count() => Active().Length;

    /// <summary>Best first; without those that are leaving, unless all are.</summary>
    public SiloAddress[] Ranked(VersionId version)
    {
        SiloAddress[] active = Active(), staying = _leaving.IsEmpty ? active : [.. active.Where(silo => !_leaving.ContainsKey(silo))];
        return RendezvousHash.Ranked(version.Value, staying.Length > 0 ? staying : active);
    }

    /// <summary>Tells that a silo takes no new sessions.</summary>
    internal void Leaves(SiloAddress silo)
    {
        _leaving[silo] = true;
        foreach (SiloAddress gone in _leaving.Keys.Except(Active())) _leaving.TryRemove(gone, out _);
    }

    private SiloAddress[] Active() => Array.FindAll(silos.GetActiveSilos(), silo => SiloRoles.HasAccelerator(metadata.GetSiloMetadata(silo)));
}
