using Orleans.Metadata;
using Orleans.Placement;
using Orleans.Runtime.MembershipService.SiloMetadata;
using Orleans.Runtime.Placement;

namespace TinyLlm.Grains.Placement;

/// <summary>
/// Keeps a grain on silos of the core role. Orleans' own metadata filters compare with the calling silo, not with a value,
/// so a call from a silo of another role would find nothing.
/// </summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class OnCoreSilosAttribute() : PlacementFilterAttribute(new CorePlacementFilterStrategy(order: 0));

/// <summary>The strategy behind <see cref="OnCoreSilosAttribute"/>; it has no parameters.</summary>
internal sealed class CorePlacementFilterStrategy(int order) : PlacementFilterStrategy(order)
{
    // The resolver creates the strategy by this constructor on the silos that did not declare the grain.
    public CorePlacementFilterStrategy() : this(0)
    {
    }

    protected override IEnumerable<KeyValuePair<string, string>> GetAdditionalGrainProperties(
        IServiceProvider services, Type grainClass, GrainType grainType, IReadOnlyDictionary<string, string> existingProperties) => [];

    public override void AdditionalInitialize(GrainProperties properties)
    {
    }
}

/// <summary>Leaves only silos whose metadata name the core role.</summary>
internal sealed class CorePlacementFilterDirector(ISiloMetadataCache metadata) : IPlacementFilterDirector
{
    public IEnumerable<SiloAddress> Filter(PlacementFilterStrategy filterStrategy, PlacementTarget target, IEnumerable<SiloAddress> silos) =>
        silos.Where(silo => SiloRoles.IsCore(metadata.GetSiloMetadata(silo)));
}
