using Microsoft.Extensions.DependencyInjection;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Replicas;
using TinyLlm.Grains.Sessions;
using TinyLlm.Storage;
using TinyLlm.Tests;

namespace TinyLlm.Grains.Tests.Residency;

/// <summary>A model that becomes popular before it is in memory anywhere.</summary>
public sealed class FirstRequestsTests(Azurite azurite)
{
    private const int Requests = 1_000;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ThousandFirstRequests_ReadTheBlobsOnceAndKeepOneCopy_PerSiloThatServes()
    {
        RequestLog log = new();
        ModelFiles files = new(await log.OpenStoreAsync(azurite));
        TestSilo gpu = new()
        {
            Core = false,
            Device = null,
            Loop = loop => (loop.MaxWaiting, loop.MaxRunning) = (4 * Requests, 256),
            Silo = silo => silo.Services.AddSingleton(files),
        };
        TestSilo[] silos = [gpu with { Core = true }, gpu with { Device = new SimulatedBackend() }, gpu with { Device = new SimulatedBackend() }, gpu with { Device = new SimulatedBackend() }];
        await using GrainCluster cluster = await GrainCluster.StartAsync(silos);
        TestUser alice = await cluster.CreateUserAsync("alice");
        await alice.PublishAsync("tiny");
        ModelLease lease = (await alice.LeaseAsync("tiny")).Lease;
        SessionRouter router = cluster.Services(0).GetRequiredService<SessionRouter>();
        log.Reads.Clear();

        string[] answers = await Task.WhenAll(Enumerable.Range(0, Requests).Select(_ => Task.Run(() => AnswerAsync(router, lease), Cancel)));

        Assert.All(answers, answer => Assert.Equal(TestSession.Answer(2), answer));
        int[] copies = [.. Enumerable.Range(1, 3).Select(silo => cluster.ModelHost(silo).Snapshot().Models)];
        Assert.All(copies, count => Assert.InRange(count, 0, 1));
        int serving = copies.Sum();
        Assert.InRange(serving, 1, 3);
        string[] reads = [.. log.Reads.Where(read => read.Contains(lease.Version.Value, StringComparison.Ordinal))];
        Assert.Equal(serving, reads.Count(read => read.EndsWith("/manifest.json", StringComparison.Ordinal)));
        int ofWeights = reads.Count(read => read.Contains("model.safetensors", StringComparison.Ordinal));
        Assert.InRange(ofWeights, 2 * serving, 3 * serving); // encryption's header, the file's header, the weights
    }

    private static async Task<string> AnswerAsync(SessionRouter router, ModelLease lease)
    {
        await using RoutedSession session = await router.StartAsync(lease, TestSession.Greedy(2), Cancel);
        List<SessionEvent> events = [];
        while (await session.Events.MoveNextAsync()) events.Add(session.Events.Current);
        return TestSession.Text(events);
    }
}
