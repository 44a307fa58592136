using Microsoft.Extensions.DependencyInjection;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Replicas;
using TinyLlm.Grains.Sessions;
using TinyLlm.Tests;

namespace TinyLlm.Grains.Tests.Replicas;

/// <summary>Silos that leave and silos that die: what runs goes on, and what was not answered yet is answered elsewhere.</summary>
public sealed class SessionRouterTests
{
    private static readonly TestSilo s_core = new() { Device = null };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task StartAsync_SiloLeaves_RunningStreamEndsWholeAndNewOnesGoElsewhere()
    {
        await using GrainCluster cluster = await GrainCluster.StartAsync(s_core, new TestSilo { Core = false }, new TestSilo { Core = false });
        ModelLease lease = await LeaseAsync(cluster);
        SessionRouter router = cluster.Services(0).GetRequiredService<SessionRouter>();

        // 1. A stream runs on the version's first silo: its first token is out, and the device stands at the second.
        SiloAddress home = cluster.Services(0).GetRequiredService<AcceleratorSilos>().Ranked(lease.Version)[0];
        int first = cluster.Orleans.Silos.ToList().FindIndex(silo => silo.SiloAddress.Equals(home));
        cluster.Device(first).Hold();
        Task<RoutedSession> starting = router.StartAsync(lease, TestSession.Greedy(20), Cancel);
        await Task.Run(() => cluster.Device(first).NextStep(Cancel), Cancel);
        cluster.Device(first).Release();
        await using RoutedSession running = await starting;

        // 2. The silo begins to leave, and waits for it.
        Task leaving = cluster.Orleans.StopSiloAsync(cluster.Orleans.Silos[first]);
        SessionDrain drain = cluster.Services(first).GetRequiredService<SessionDrain>();
        await Eventually.TrueAsync(() => drain.IsDraining);

        // 3. New requests are served by the other one, while the stream goes on.
        for (int i = 0; i < 5; i++)
        {
            await using RoutedSession other = await router.StartAsync(lease, TestSession.Greedy(3), Cancel);
            Assert.Equal(TestSession.Answer(3), await TextAsync(other));
        }
        Assert.False(leaving.IsCompleted);
        cluster.Device(first).Open();

        Assert.Equal(TestSession.Answer(20), await TextAsync(running));
        await running.DisposeAsync();
        await leaving.WaitAsync(TimeSpan.FromMinutes(3), Cancel);
    }

    [Fact]
    public async Task StartAsync_EverySiloLeaves_IsRefusedAsDraining()
    {
        await using GrainCluster cluster = await GrainCluster.StartAsync(new TestSilo());
        ModelLease lease = await LeaseAsync(cluster);
        SessionRouter router = cluster.Services(0).GetRequiredService<SessionRouter>();
        await cluster.Services(0).GetRequiredService<SessionDrain>().DrainAsync(Cancel);

        RequestException refusal = await Assert.ThrowsAsync<RequestException>(() => router.StartAsync(lease, TestSession.Greedy(3), Cancel));

        Assert.Equal(RequestError.Draining, refusal.Error);
        Assert.True(refusal.RetryAfter > TimeSpan.Zero);
    }

    [Fact]
    public async Task StartAsync_SiloDiesBeforeTheFirstToken_AnotherServes()
    {
        await using GrainCluster cluster = await GrainCluster.StartAsync(s_core, new TestSilo { Core = false }, new TestSilo { Core = false });
        ModelLease lease = await LeaseAsync(cluster);
        SessionRouter router = cluster.Services(0).GetRequiredService<SessionRouter>();
        await using (RoutedSession warm = await router.StartAsync(lease, TestSession.Greedy(1), Cancel)) Assert.Equal(TestSession.Answer(1), await TextAsync(warm));
        int first = cluster.Orleans.Silos.ToList().FindIndex(silo => silo.SiloAddress.Equals(cluster.SiloOf(cluster.Session(lease).GetGrainId())));

        cluster.Device(first).Hold();
        Task<RoutedSession> waiting = router.StartAsync(lease, TestSession.Greedy(3), Cancel);
        await Task.Run(() => cluster.Device(first).NextStep(Cancel), Cancel);
        SimulatedBackend device = cluster.Device(first);
        Task killing = cluster.Orleans.KillSiloAsync(cluster.Orleans.Silos[first]); // it can't end before its device does

        await using RoutedSession served = await waiting.WaitAsync(TimeSpan.FromMinutes(3), Cancel);
        Assert.Equal(TestSession.Answer(3), await TextAsync(served));
        device.Open();
        await killing.WaitAsync(TimeSpan.FromMinutes(3), Cancel);
    }

    [Fact]
    public async Task StartAsync_CallerGoesAway_ReleasesItsPlace()
    {
        await using GrainCluster cluster = await GrainCluster.StartAsync(new TestSilo());
        ModelLease lease = await LeaseAsync(cluster);
        SessionRouter router = cluster.Services(0).GetRequiredService<SessionRouter>();
        cluster.Device().Hold();
        using CancellationTokenSource caller = new();

        Task<RoutedSession> starting = router.StartAsync(lease, TestSession.Greedy(3), caller.Token);
        await Task.Run(() => cluster.Device().NextStep(Cancel), Cancel);
        await caller.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => starting);
        cluster.Device().Open();
        await Eventually.TrueAsync(() => cluster.ModelHost().Snapshot() is { Holds: 0, Running: 0 });
        await cluster.Services(0).GetRequiredService<SessionDrain>().DrainAsync(Cancel); // returns: nobody holds the silo
    }

    private static async Task<ModelLease> LeaseAsync(GrainCluster cluster)
    {
        TestUser alice = await cluster.CreateUserAsync("alice");
        await alice.PublishAsync("tiny");
        return (await alice.LeaseAsync("tiny")).Lease;
    }

    private static async Task<string> TextAsync(RoutedSession session)
    {
        List<SessionEvent> events = [];
        while (await session.Events.MoveNextAsync()) events.Add(session.Events.Current);
        Assert.IsType<SessionEnded>(events[^1]);
        return TestSession.Text(events);
    }
}
