using Orleans.Placement;
using Orleans.Runtime.Placement;

namespace TinyLlm.Grains.Placement;

/// <summary>Places a grain on the silo whose address is its key, or the end of its key after a slash.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class OnSiloOfKeyAttribute() : PlacementAttribute(new SiloOfKeyStrategy());

/// <summary>The strategy behind <see cref="OnSiloOfKeyAttribute"/>; it has no parameters.</summary>
[GenerateSerializer, Alias("tinyllm.SiloOfKeyStrategy")]
internal sealed class SiloOfKeyStrategy : PlacementStrategy;

/// <summary>A silo that is gone is no place: the call fails, and what it asked of that silo's memory is gone with it.</summary>
internal sealed class SiloOfKeyDirector : IPlacementDirector
{
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        string key = target.GrainIdentity.Key.ToString()!;
        SiloAddress wanted = SiloAddress.FromParsableString(key[(key.LastIndexOf('/') + 1)..]);
        return context.GetCompatibleSilos(target).Contains(wanted)
            ? Task.FromResult(wanted)
            : throw new SiloUnavailableException($"The silo {wanted} is not part of the cluster.");
    }
}
