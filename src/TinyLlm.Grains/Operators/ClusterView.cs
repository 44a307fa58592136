using Microsoft.Extensions.Logging;
using Orleans.Runtime.MembershipService.SiloMetadata;
using TinyLlm.Grains.Placement;
using TinyLlm.Grains.Residency;

namespace TinyLlm.Grains.Operators;

/// <summary>The whole cluster for its operator: every silo is asked at once, and one that does not answer in time is shown as such.</summary>
public sealed partial class ClusterView(ISiloStatusOracle silos, ISiloMetadataCache metadata, IGrainFactory grains, TimeProvider time, ILogger<ClusterView> logger)
{
    /// <summary>An operator looks when something hangs, so one silo that does must not hide the others. A choice.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);

    /// <summary>Every silo that is not known to be dead, by address.</summary>
    public async Task<ClusterSilo[]> ListAsync(CancellationToken cancellationToken)
    {
        ClusterSilo[] seen = await Task.WhenAll(silos.GetApproximateSiloStatuses()
            .Where(silo => silo.Value != SiloStatus.Dead)
            .Select(silo => LookAsync(silo.Key, silo.Value, cancellationToken)));
        return [.. seen.OrderBy(silo => silo.Address, StringComparer.Ordinal)];
    }

    private async Task<ClusterSilo> LookAsync(SiloAddress silo, SiloStatus status, CancellationToken cancellationToken)
    {
        SiloRoles roles = SiloRoles.Of(metadata.GetSiloMetadata(silo));
        // One that is joining or gone half-way would be waited for in vain.
        bool answers = status is SiloStatus.Active or SiloStatus.ShuttingDown;
        return new ClusterSilo(silo.ToParsableString(), roles, status, answers ? await AskAsync(silo, cancellationToken) : null);
    }

    private async Task<SiloReport?> AskAsync(SiloAddress silo, CancellationToken cancellationToken)
    {
        try
        {
            return await grains.GetGrain<IResidencyGrain>(silo.ToParsableString()).Describe().WaitAsync(Limit, time, cancellationToken);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            LogSilent(logger, silo, exception);
            return null;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Silo {Silo} did not tell in time what it holds")]
    private static partial void LogSilent(ILogger logger, SiloAddress silo, Exception exception);
}
