using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Residency;

/// <summary>The memory of all silos together, as a deletion needs it: each is told, and each is asked whether it is done.</summary>
public sealed partial class ClusterMemory(ISiloStatusOracle silos, IGrainFactory grains, TimeProvider time, ILogger<ClusterMemory> logger)
{
    /// <summary>Within this time every silo reports nothing of the owner's, or counts as silent.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan AskAgainAfter = TimeSpan.FromMilliseconds(50);

    /// <summary>Drops an owner's models (those versions, or all) everywhere.</summary>
    /// <returns>How many silos reported that nothing is left, and how many did not in time.</returns>
    public async Task<(int Clear, int Silent)> DropAsync(UserId owner, ImmutableArray<VersionId>? versions)
    {
        bool[] clear = await Task.WhenAll(silos.GetApproximateSiloStatuses(onlyActive: true).Keys.Select(silo => DropAsync(silo, owner, versions)));
        return (clear.Count(done => done), clear.Count(done => !done));
    }

    private async Task<bool> DropAsync(SiloAddress silo, UserId owner, ImmutableArray<VersionId>? versions)
    {
        IResidencyGrain memory = grains.GetGrain<IResidencyGrain>(silo.ToParsableString());
        using CancellationTokenSource patience = new(Limit, time);
        try
        {
            await memory.Drop(owner, versions).WaitAsync(patience.Token);
            // A single version: others of the same owner stay, so there is nothing more to ask.
            while (versions is null && await memory.Measure(owner).WaitAsync(patience.Token) != ResidentBytes.None) await Task.Delay(AskAgainAfter, time, patience.Token);
            return true;
        }
        catch (Exception exception)
        {
            LogSilent(logger, silo, exception);
            return false;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Silo {Silo} did not report in time that a deleted owner's models are out of its memory")]
    private static partial void LogSilent(ILogger logger, SiloAddress silo, Exception exception);
}
