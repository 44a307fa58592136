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

    private int _departures;
    private Seen? _seen;

    /// <summary>Best first; without those that are leaving, unless all are.</summary>
    public SiloAddress[] Ranked(VersionId version) => Candidates().Ranked(version.Value);

    /// <summary>Tells that a silo takes no new sessions.</summary>
    internal void Leaves(SiloAddress silo)
    {
        _leaving[silo] = true;
        foreach (SiloAddress gone in _leaving.Keys.Except(silos.GetActiveSilos())) _leaving.TryRemove(gone, out _);
        Interlocked.Increment(ref _departures);
    }

    /// <summary>Those that may serve: worked out anew only when the members have changed, or who of them is leaving, because every request asks.</summary>
    internal SiloSet Candidates()
    {
        int departures = Volatile.Read(ref _departures); // before the rest: what changes meanwhile is seen by the next
        SiloAddress[] active = silos.GetActiveSilos();
        if (Volatile.Read(ref _seen) is { } seen && seen.Departures == departures && IsSame(seen.Active, active)) return seen.Candidates;

        bool isComplete = true;
        List<SiloAddress> accelerators = [];
        foreach (SiloAddress silo in active)
        {
            SiloMetadata said = metadata.GetSiloMetadata(silo);
            isComplete &= said.Metadata.Count > 0; // of one that has just joined, nothing is known for a moment
            if (SiloRoles.HasAccelerator(said)) accelerators.Add(silo);
        }
        Seen now = new(active, departures, new SiloSet(accelerators).Without([.. _leaving.Keys]));
        Volatile.Write(ref _seen, isComplete ? now : null);
        return now.Candidates;
    }

    private static bool IsSame(SiloAddress[] one, SiloAddress[] other)
    {
        if (one.Length != other.Length) return false;
        for (int i = 0; i < one.Length; i++)
        {
            if (!ReferenceEquals(one[i], other[i]) && !one[i].Equals(other[i])) return false;
        }
        return true;
    }

    /// <summary>What was made of the members at one moment.</summary>
    private sealed record Seen(SiloAddress[] Active, int Departures, SiloSet Candidates);
}
