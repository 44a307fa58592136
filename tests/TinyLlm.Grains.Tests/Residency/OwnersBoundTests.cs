using TinyLlm.Grains.Access;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Residency;
using TinyLlm.Grains.Sessions;
using TinyLlm.Grains.Users;
using TinyLlm.Storage;
using TinyLlm.Tests;

namespace TinyLlm.Grains.Tests.Residency;

/// <summary>All models of one owner together stay within the owner's bound in a silo's memory, and nobody else pays for it.</summary>
public sealed class OwnersBoundTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Acquire_BeyondTheOwnersBound_UnloadsWhatTheOwnerDoesNotUse()
    {
        await using TestHost host = new(1 << 30);
        UserId owner = UserId.New();
        VersionAddress[] models = await StoreAsync(host, owner, 3, bound: (2 * TinyModel.WeightBytes) + 1);
        VersionAddress others = await host.StoreAsync();
        await host.TouchAsync(others);
        foreach (VersionAddress model in models)
        {
            await host.TouchAsync(model);
            Assert.InRange((await host.Host.MeasureAsync(owner)).Bytes, 1, 2 * TinyModel.WeightBytes);
        }
        Assert.Equal(2, (await host.Host.MeasureAsync(owner)).Models);
        Assert.True(await host.IsResidentAsync(models[2]));
        Assert.True(await host.IsResidentAsync(others));
    }

    [Fact]
    public async Task Acquire_OwnersModelsAreInUse_IsRefusedUntilOneEnds()
    {
        await using TestHost host = new(1 << 30);
        VersionAddress[] models = await StoreAsync(host, UserId.New(), 2, bound: (2 * TinyModel.WeightBytes) - 1);
        using (await host.Host.AcquireAsync(models[0], Cancel))
        {
            RequestException refused = await Assert.ThrowsAsync<RequestException>(() => host.TouchAsync(models[1]));
            Assert.Equal(RequestError.QuotaExceeded, refused.Error);
            Assert.NotNull(refused.RetryAfter);
            await host.TouchAsync((await StoreAsync(host, UserId.New(), 1, bound: TinyModel.WeightBytes))[0]); // another owner's, as large as the bound
        }
        await host.TouchAsync(models[1]);
    }

    /// <summary>Loads that begin together see each other: together they are never beyond the bound.</summary>
    [Fact]
    public async Task Acquire_ManyAtOnce_HoldNoMoreThanTheBound()
    {
        await using TestHost host = new(1 << 30);
        VersionAddress[] models = await StoreAsync(host, UserId.New(), 8, bound: 3 * TinyModel.WeightBytes);
        ResidentHold?[] holds = await Task.WhenAll(models.Select(model => Task.Run(async () =>
        {
            try
            {
                return await host.Host.AcquireAsync(model, Cancel);
            }
            catch (RequestException refusal) when (refusal.Error == RequestError.QuotaExceeded)
            {
                return null;
            }
        }, Cancel)));
        Assert.Equal(3, holds.Count(hold => hold is not null));
        Assert.Equal(3 * TinyModel.WeightBytes, host.Loop.Budget.ReservedBytes);
        foreach (ResidentHold? hold in holds) hold?.Dispose();
    }

    /// <summary>The bound travels in the lease, from the operator's quota to the silo that loads.</summary>
    [Fact]
    public async Task Generate_OperatorsQuotaHoldsOneModel_TheSecondTakesTheFirstOnesPlace()
    {
        await using GrainCluster cluster = await GrainCluster.StartAsync();
        TestUser alice = await cluster.CreateUserAsync("alice");
        await alice.PublishAsync("one");
        await alice.PublishAsync("two");
        long stored = (await alice.Grain.ListModels())[0].Facts.StoredBytes;
        Assert.True(stored < 2 * TinyModel.WeightBytes, $"a version's {stored} bytes are to fit where two models' weights do not");
        await alice.Grain.SetQuota(new UserQuota { ResidentBytes = Math.Max(stored, TinyModel.WeightBytes) });
        foreach (string model in (string[])["one", "two", "one"])
        {
            ModelLease lease = (await alice.LeaseAsync(model)).Lease;
            Assert.IsType<SessionEnded>((await cluster.GenerateAsync(lease, TestSession.Greedy(2)))[^1]);
            Assert.Equal(1, (await cluster.ModelHost().MeasureAsync(alice.Id)).Models);
        }
    }

    private static async Task<VersionAddress[]> StoreAsync(TestHost host, UserId owner, int count, long bound)
    {
        VersionAddress[] models = await Task.WhenAll(Enumerable.Range(0, count).Select(_ => host.StoreAsync(ofOwner: owner)));
        return [.. models.Select(model => model with { OwnerBytes = bound })];
    }
}
