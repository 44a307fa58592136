using TinyLlm.Grains.Access;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Sessions;
using TinyLlm.Tests;

namespace TinyLlm.Grains.Tests.Sessions;

/// <summary>Full queues and slow readers. The short deadlines run on real time, and nothing but the end they bring is waited for.</summary>
public sealed class SessionPressureTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Generate_QueueFull_IsRefusedWithRetryAfter()
    {
        TestSilo silo = new()
        {
            Loop = options =>
            {
                options.MaxRunning = 1;
                options.MaxWaiting = 1;
            },
        };
        await using GrainCluster cluster = await GrainCluster.StartAsync(silo);
        ModelLease lease = await LeaseAsync(cluster);
        cluster.Device().Hold();
        Task<List<SessionEvent>> running = cluster.GenerateAsync(lease, TestSession.Greedy(3));
        await Task.Run(() => cluster.Device().NextStep(Cancel), Cancel);
        Task<List<SessionEvent>> waiting = cluster.GenerateAsync(lease, TestSession.Greedy(4));
        await Eventually.TrueAsync(() => cluster.Loop().Snapshot() is { RunningSequences: 1, WaitingSequences: 1 });

        RequestException reason = await RefusedAsync(cluster, lease);

        Assert.Equal(TimeSpan.FromSeconds(2), reason.RetryAfter);
        Assert.Equal(2, cluster.ModelHost().Snapshot().Holds);
        cluster.Device().Open();
        Assert.Equal(("abc", "abcd"), (TestSession.Text(await running), TestSession.Text(await waiting)));
    }

    [Fact]
    public async Task Generate_CacheLargerThanTheDevice_IsRefusedForGood()
    {
        TestSilo silo = new() { Device = new SimulatedBackend(TinyModel.WeightBytes + 10) };
        await using GrainCluster cluster = await GrainCluster.StartAsync(silo);
        ModelLease lease = await LeaseAsync(cluster);

        List<SessionEvent> events = await cluster.GenerateAsync(lease, TestSession.Greedy(8)); // 4 + 8 - 1 tokens of one byte

        RequestException reason = Assert.IsType<SessionRefused>(Assert.Single(events)).Reason;
        Assert.Equal((RequestError.NoCapacity, null), (reason.Error, reason.RetryAfter));
        Assert.Equal(TestSession.Answer(7), TestSession.Text(await cluster.GenerateAsync(lease, TestSession.Greedy(7))));
    }

    [Fact]
    public async Task Generate_NoPlaceInTime_IsRefusedWithRetryAfter()
    {
        TestSilo silo = new()
        {
            Loop = options =>
            {
                options.MaxRunning = 1;
                options.ChannelTokens = 1;
                options.WaitDeadline = TimeSpan.FromSeconds(1); // a busy machine lets the one that has a place wait for it, too
            },
        };
        await using GrainCluster cluster = await GrainCluster.StartAsync(silo);
        ModelLease lease = await LeaseAsync(cluster);
        await using IAsyncEnumerator<SessionEvent> slow = Start(cluster, lease);
        Assert.True(await slow.MoveNextAsync()); // and reads no more, so that it keeps the one place

        RequestException reason = await RefusedAsync(cluster, lease);

        Assert.Equal(TimeSpan.FromSeconds(2), reason.RetryAfter);
        Assert.Equal(1, cluster.Loop().Snapshot().RunningSequences);
    }

    [Fact]
    public async Task Generate_ReaderTooSlow_EndsAsSuchAndFreesThePlace()
    {
        TestSilo silo = new()
        {
            Loop = options =>
            {
                options.ChannelTokens = 2;
                options.SlowReaderDeadline = TimeSpan.FromMilliseconds(50);
            },
        };
        await using GrainCluster cluster = await GrainCluster.StartAsync(silo);
        ModelLease lease = await LeaseAsync(cluster);
        await using IAsyncEnumerator<SessionEvent> slow = Start(cluster, lease);
        Assert.True(await slow.MoveNextAsync());

        await Eventually.TrueAsync(() => cluster.Loop().Snapshot().RunningSequences == 0);

        List<SessionEvent> rest = [];
        while (await slow.MoveNextAsync()) rest.Add(slow.Current);
        SessionEnded end = Assert.IsType<SessionEnded>(rest[^1]);
        Assert.Equal(SessionEnd.SlowReader, end.Reason);
        Assert.Equal(TestSession.Answer(end.CompletionTokens), TestSession.Text(rest)); // what was made arrived, and nothing was skipped
        Assert.InRange(end.CompletionTokens, 1, 40);
    }

    private static async Task<ModelLease> LeaseAsync(GrainCluster cluster)
    {
        TestUser alice = await cluster.CreateUserAsync("alice");
        await alice.PublishAsync("tiny");
        return (await alice.LeaseAsync("tiny")).Lease;
    }

    private static IAsyncEnumerator<SessionEvent> Start(GrainCluster cluster, ModelLease lease) =>
        cluster.Session(lease).Generate(lease, TestSession.Greedy(40), Cancel).GetAsyncEnumerator(Cancel);

    private static async Task<RequestException> RefusedAsync(GrainCluster cluster, ModelLease lease)
    {
        RequestException reason = Assert.IsType<SessionRefused>(Assert.Single(await cluster.GenerateAsync(lease, TestSession.Greedy(5)))).Reason;
        Assert.Equal(RequestError.NoCapacity, reason.Error);
        return reason;
    }
}
