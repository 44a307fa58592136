using Orleans.Runtime.MembershipService.SiloMetadata;
using Orleans.Runtime.Placement;
using Orleans.Placement;
using TinyLlm.Grains.Sessions;

namespace TinyLlm.Grains.Placement;

/// <summary>Places a model session by <see cref="SessionPlacementDirector"/>.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class SessionPlacementAttribute() : PlacementAttribute(new SessionPlacementStrategy());

/// <summary>The strategy behind <see cref="SessionPlacementAttribute"/>; it has no parameters.</summary>
[GenerateSerializer, Alias("tinyllm.SessionPlacementStrategy")]
internal sealed class SessionPlacementStrategy : PlacementStrategy;

/// <summary>
/// Ranks the silos that have an accelerator by rendezvous hash of the model version; replica n takes rank n. So the same model meets the
/// same silo from every caller without a shared table, and a silo that joins or leaves moves only its own share.
/// Knows nothing of load or residency, and awaits nothing remote.
/// </summary>
internal sealed class SessionPlacementDirector(ISiloMetadataCache metadata) : IPlacementDirector
{
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        SessionKey key = SessionKey.Parse(target.GrainIdentity.Key.ToString()!);
        SiloAddress[] silos = [.. context.GetCompatibleSilos(target).Where(silo => SiloRoles.HasAccelerator(metadata.GetSiloMetadata(silo)))];
        if (silos.Length == 0) throw NoAccelerator();
        return Task.FromResult(RendezvousHash.Ranked(key.Version.Value, silos)[key.Replica % silos.Length]);
    }

    private static Errors.RequestException NoAccelerator() => new(
        Errors.RequestError.NoAccelerator, "No silo of this cluster has an accelerator at the moment: try again soon, or start a silo with the gpu role.")
    {
        RetryAfter = TimeSpan.FromSeconds(5),
    };
}
