using Microsoft.Extensions.DependencyInjection;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Placement;
using TinyLlm.Grains.Replicas;
using TinyLlm.Grains.Residency;
using TinyLlm.Grains.Sessions;
using TinyLlm.Tests;

namespace TinyLlm.Grains.Tests.Replicas;

/// <summary>Two silos with room for one model each, of which one takes what the other declines.</summary>
public sealed class OverflowTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task StartAsync_NotWorthItsRoomAtHome_IsServedByTheOverflowAndLeavesTheOtherInPlace()
    {
        await using GrainCluster cluster = await StartAsync();
        (int home, int overflow, ModelLease[] leases) = await PublishAsync(cluster, models: 2);
        (ModelLease often, ModelLease seldom) = (leases[0], leases[1]);
        for (int use = 0; use < 5; use++) await ServeAsync(cluster, often);

        await ServeAsync(cluster, seldom);

        Assert.True(cluster.ModelHost(home).IsResident(often.Version));
        Assert.True(cluster.ModelHost(overflow).IsResident(seldom.Version));
        for (int use = 0; use < 6; use++) await ServeAsync(cluster, seldom); // home counts them, and takes it when it is worth it
        Assert.True(cluster.ModelHost(home).IsResident(seldom.Version));
    }

    [Fact]
    public async Task StartAsync_OverflowIsInUse_HomeMakesRoom()
    {
        await using GrainCluster cluster = await StartAsync();
        (int home, int overflow, ModelLease[] leases) = await PublishAsync(cluster, models: 3);
        for (int use = 0; use < 5; use++) await ServeAsync(cluster, leases[0]);
        using ResidentHold inUse = await cluster.ModelHost(overflow).AcquireAsync(VersionAddress.Of(leases[2]), Cancel);

        await ServeAsync(cluster, leases[1]);

        Assert.True(cluster.ModelHost(home).IsResident(leases[1].Version));
        Assert.False(cluster.ModelHost(home).IsResident(leases[0].Version));
    }

    private static Task<GrainCluster> StartAsync()
    {
        static TestSilo Silo(bool core) => new() { Core = core, Device = new SimulatedBackend(TinyModel.WeightBytes + (TinyModel.WeightBytes / 2)) };
        return GrainCluster.StartAsync(Silo(core: true), Silo(core: false));
    }

    /// <summary>Models whose home is the silo that is not the overflow.</summary>
    private static async Task<(int Home, int Overflow, ModelLease[] Leases)> PublishAsync(GrainCluster cluster, int models)
    {
        AcceleratorSilos silos = cluster.Services(0).GetRequiredService<AcceleratorSilos>();
        TestUser alice = await cluster.CreateUserAsync("alice");
        List<ModelLease> leases = [];
        for (int i = 0; leases.Count < models; i++)
        {
            await alice.PublishAsync($"tiny{i}");
            ModelLease lease = (await alice.LeaseAsync($"tiny{i}")).Lease;
            SiloAddress[] ranked = silos.Ranked(lease.Version);
            Assert.Equal(2, ranked.Length);
            if (!ServingRoute.Overflow(ranked).Contains(ranked[0])) leases.Add(lease);
        }
        int home = cluster.Orleans.Silos.ToList().FindIndex(silo => silo.SiloAddress.Equals(silos.Ranked(leases[0].Version)[0]));
        return (home, 1 - home, [.. leases]);
    }

    private static async Task ServeAsync(GrainCluster cluster, ModelLease lease)
    {
        SessionRouter router = cluster.Services(0).GetRequiredService<SessionRouter>();
        await using RoutedSession session = await router.StartAsync(lease, TestSession.Greedy(3) with { ModelBytes = TinyModel.WeightBytes }, Cancel);
        List<SessionEvent> events = [];
        while (await session.Events.MoveNextAsync()) events.Add(session.Events.Current);
        Assert.Equal(TestSession.Answer(3), TestSession.Text(events));
    }
}
