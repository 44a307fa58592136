using Microsoft.Extensions.DependencyInjection;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Placement;
using TinyLlm.Grains.Replicas;
using TinyLlm.Grains.Sessions;
using TinyLlm.Grains.Tests.Simulation;
using TinyLlm.Tests;

namespace TinyLlm.Grains.Tests.Replicas;

/// <summary>
/// Twice as many models as four silos have room for, used by Zipf's law from several sides at once: what silos decline is served elsewhere, and what is used often stays.
/// What is asked and where it is at home is fixed; how it interleaves is the machine's.
/// </summary>
public sealed class OverflowLoadTests
{
    private const int Silos = 4, RoomPerSilo = 5, ModelsPerSilo = 10, Requests = 1000, Seed = 20260102;

    /// <summary>Fewer than the models that fit on a silo: there is always one to go, so nobody has to be refused.</summary>
    private const int Workers = RoomPerSilo - 1;

    private int _next, _servedByOverflow;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task StartAsync_TwiceTheModelsThereIsRoomFor_ServesEachRequestAtOnceAndKeepsPopularModelsAtHome()
    {
        await using GrainCluster cluster = await GrainCluster.StartAsync([.. Enumerable.Range(0, Silos).Select(Silo)]);
        AcceleratorSilos accelerators = cluster.Services(0).GetRequiredService<AcceleratorSilos>();
        await Eventually.TrueAsync(() => accelerators.Candidates().Count == Silos);
        SiloSet set = accelerators.Candidates();
        SiloAddress overflow = Assert.Single(ServingRoute.Overflow(set.Ranked("any")));

        // 1. Every silo is home to its share of popular and of seldom used models; the three most popular to one silo each that is not the overflow.
        ModelTraffic traffic = new(Silos * ModelsPerSilo, exponent: 1, Seed);
        double[] popularity = traffic.Popularity();
        int[] ranked = [.. Enumerable.Range(0, popularity.Length).OrderByDescending(model => popularity[model])];
        ILookup<SiloAddress, ModelLease> leases = (await PublishAsync(cluster, set)).ToLookup(lease => Home(set, lease));
        SiloAddress[] homes = [.. leases.Select(home => home.Key).OrderBy(home => home.Equals(overflow))];
        ModelLease[] models = new ModelLease[ranked.Length];
        for (int rank = 0; rank < ranked.Length; rank++) models[ranked[rank]] = leases[homes[rank % Silos]].ElementAt(rank / Silos);

        // 2. Nobody is refused.
        ModelLease[] requests = [.. Enumerable.Range(0, Requests).Select(_ => models[traffic.Next()])];
        await Task.WhenAll(Enumerable.Range(0, Workers).Select(_ => Task.Run(async () =>
        {
            while (Interlocked.Increment(ref _next) - 1 is var request && request < Requests)
            {
                await ServeAsync(cluster, requests[request], tokens: 1 + (request % 8));
                if (!Home(set, requests[request]).Equals(overflow) && Holders(cluster, requests[request]).SequenceEqual([overflow])) Interlocked.Increment(ref _servedByOverflow);
            }
        })));

        // 3. A copy is where its model's route leads, and nowhere else; the most popular are at home.
        foreach (ModelLease model in models)
        {
            IEnumerable<SiloAddress> route = Enumerable.Range(0, 4).Select(step => ServingRoute.Step(set, model.Version.Value, step).Silo);
            Assert.Subset(route.ToHashSet(), Holders(cluster, model).ToHashSet());
        }
        foreach (int popular in ranked.Take(Silos - 1)) Assert.Contains(Home(set, models[popular]), Holders(cluster, models[popular]));
        TestContext.Current.SendDiagnosticMessage("{0} of {1} requests were served by the overflow", _servedByOverflow, Requests);
        Assert.InRange(_servedByOverflow, 1, Requests / 2);
        foreach (int silo in Enumerable.Range(0, Silos))
            await Eventually.TrueAsync(() => cluster.ModelHost(silo).Snapshot() is { Holds: 0, Running: 0, Waiting: 0, Models: > 0 and <= RoomPerSilo });
    }

    private static TestSilo Silo(int number) => new()
    {
        Core = number == 0,
        Device = new SimulatedBackend((RoomPerSilo * TinyModel.WeightBytes) + (TinyModel.WeightBytes / 2)),
    };

    /// <summary>Models until each silo is home to so many.</summary>
    private static async Task<List<ModelLease>> PublishAsync(GrainCluster cluster, SiloSet silos)
    {
        TestUser alice = await cluster.CreateUserAsync("alice");
        List<ModelLease> leases = [];
        for (int i = 0; leases.Count < Silos * ModelsPerSilo; i++)
        {
            await alice.PublishAsync($"tiny{i}");
            ModelLease lease = (await alice.LeaseAsync($"tiny{i}")).Lease;
            if (leases.Count(other => Home(silos, other).Equals(Home(silos, lease))) < ModelsPerSilo) leases.Add(lease);
        }
        return leases;
    }

    private static SiloAddress Home(SiloSet silos, ModelLease model) => ServingRoute.Step(silos, model.Version.Value, declined: 0).Silo;

    private static SiloAddress[] Holders(GrainCluster cluster, ModelLease model) =>
        [.. Enumerable.Range(0, Silos).Where(silo => cluster.ModelHost(silo).IsResident(model.Version)).Select(silo => cluster.Orleans.Silos[silo].SiloAddress)];

    /// <summary>A request that is refused fails the test.</summary>
    private static async Task ServeAsync(GrainCluster cluster, ModelLease lease, int tokens)
    {
        SessionRouter router = cluster.Services(0).GetRequiredService<SessionRouter>();
        await using RoutedSession session = await router.StartAsync(lease, TestSession.Greedy(tokens) with { ModelBytes = TinyModel.WeightBytes }, Cancel);
        List<SessionEvent> events = [];
        while (await session.Events.MoveNextAsync()) events.Add(session.Events.Current);
        Assert.Equal(TestSession.Answer(tokens), TestSession.Text(events));
    }
}
