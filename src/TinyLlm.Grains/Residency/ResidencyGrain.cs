using System.Collections.Immutable;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Placement;
using TinyLlm.Grains.Placement;
using TinyLlm.Grains.Sessions;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Residency;

/// <inheritdoc cref="IResidencyGrain"/>
[OnSiloOfKey]
[Immovable]
[GrainType("residency")]
internal sealed class ResidencyGrain(IServiceProvider services, SessionDrain drain) : Grain, IResidencyGrain
{
    /// <summary>Null on a silo without an accelerator: it has no model in memory.</summary>
    private readonly ModelHost? _host = services.GetService<ModelHost>();

    public Task Drop(UserId owner, ImmutableArray<VersionId>? versions) => _host?.DropAsync(owner, versions) ?? Task.CompletedTask;

    public Task<ResidentBytes> Measure(UserId owner) => _host?.MeasureAsync(owner) ?? Task.FromResult(ResidentBytes.None);

    public Task<SiloReport> Describe() => Task.FromResult(new SiloReport { Draining = drain.IsDraining, Device = _host?.Describe() });
}
