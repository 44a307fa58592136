using Microsoft.Extensions.DependencyInjection;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Replicas;
using TinyLlm.Grains.Sessions;
using TinyLlm.Grains.Users;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Tests.Placement;

public sealed class SessionPlacementTests
{
    private static readonly TestSilo s_coreOnly = new() { Device = null };

    [Fact]
    public async Task Sessions_OneOfTwoSilosHasAnAccelerator_AllLandThere()
    {
        await using GrainCluster cluster = await GrainCluster.StartAsync(new TestSilo { Core = false }, s_coreOnly);
        TestUser alice = await cluster.CreateUserAsync("alice");
        await alice.PublishAsync("tiny");
        ModelLease real = (await alice.LeaseAsync("tiny")).Lease;

        // One real model, and forty-nine leases of versions that are not there: placement happens before the session looks.
        ModelLease[] leases = [real, .. Enumerable.Range(1, 49).Select(_ => cluster.Sign(real with { Version = VersionId.New() }))];
        for (int i = 1; i < leases.Length; i++) await Refusal.OfAsync(RequestError.NotFound, () => AnswerAsync(cluster, i % 2, leases[i]));

        Assert.All((int[])[0, 1], silo => Assert.All(leases, lease => Assert.Equal(cluster.Orleans.Silos[0].SiloAddress, Assert.Single(Ranked(cluster, silo, lease)))));
        Assert.Equal(cluster.Orleans.Silos[1].SiloAddress, cluster.SiloOf(alice.Grain.GetGrainId()));
        for (int silo = 0; silo < 2; silo++) Assert.Equal(TestSession.Answer(3), await AnswerAsync(cluster, silo, real));
        Assert.Equal(cluster.Orleans.Silos[0].SiloAddress, cluster.SiloOf(cluster.Session(real).GetGrainId()));
    }

    [Fact]
    public async Task Session_NoAcceleratorAnywhere_RefusesSoonWithRetryAfter()
    {
        await using GrainCluster cluster = await GrainCluster.StartAsync(s_coreOnly, s_coreOnly);
        TestUser alice = await cluster.CreateUserAsync("alice");
        await alice.PublishAsync("tiny");
        ModelLease lease = (await alice.LeaseAsync("tiny")).Lease;

        for (int silo = 0; silo < 2; silo++)
        {
            RequestException refusal = await Refusal.OfAsync(RequestError.NoAccelerator, () => AnswerAsync(cluster, silo, lease));
            Assert.True(refusal.RetryAfter > TimeSpan.Zero);
        }
    }

    [Fact]
    public async Task Session_AcceleratorJoinsAfterARefusal_IsServedThere()
    {
        await using GrainCluster cluster = await GrainCluster.StartAsync(s_coreOnly);
        TestUser alice = await cluster.CreateUserAsync("alice");
        await alice.PublishAsync("tiny");
        ModelLease lease = (await alice.LeaseAsync("tiny")).Lease;
        await Refusal.OfAsync(RequestError.NoAccelerator, () => AnswerAsync(cluster, 0, lease));

        SiloAddress joined = await cluster.AddSiloAsync(new TestSilo { Core = false });

        Assert.Equal(TestSession.Answer(3), await AnswerAsync(cluster, 0, lease));
        Assert.Equal(joined, cluster.SiloOf(cluster.Session(lease).GetGrainId()));
    }

    [Fact]
    public async Task Silo_JoinsWhileModelsAreInUse_TakesItsShareWithTheNextRequests()
    {
        await using GrainCluster cluster = await GrainCluster.StartAsync(new TestSilo(), new TestSilo { Core = false });
        TestUser alice = await cluster.CreateUserAsync("alice");
        List<ModelLease> leases = [];
        for (int i = 0; i < 12; i++)
        {
            await alice.PublishAsync($"tiny{i}");
            leases.Add((await alice.LeaseAsync($"tiny{i}")).Lease);
            Assert.Equal(TestSession.Answer(3), await AnswerAsync(cluster, 0, leases[i]));
        }
        SiloAddress[] before = [.. leases.Select(lease => Ranked(cluster, 0, lease)[0])];

        SiloAddress joined = await cluster.AddSiloAsync(new TestSilo { Core = false });

        foreach ((ModelLease lease, SiloAddress old) in leases.Zip(before))
        {
            // Every one is served where the ranking says now: where it was, or by the new silo. Nothing moves between the old ones.
            Assert.Equal(TestSession.Answer(3), await AnswerAsync(cluster, 0, lease));
            SiloAddress now = Ranked(cluster, 0, lease)[0];
            Assert.True(now.Equals(old) || now.Equals(joined));
            Assert.Equal(now, cluster.SiloOf(cluster.Session(lease).GetGrainId()));
        }
        // A third of all versions is its share; the standard deviation of this count is 7.
        Assert.InRange(Enumerable.Range(0, 200).Count(_ => Ranked(cluster, 0, leases[0] with { Version = VersionId.New() })[0].Equals(joined)), 25, 110);
    }

    [Fact]
    public async Task Replicas_TwoAccelerators_LandOnDifferentSilos()
    {
        await using GrainCluster cluster = await GrainCluster.StartAsync(new TestSilo(), new TestSilo());
        TestUser alice = await cluster.CreateUserAsync("alice");
        await alice.PublishAsync("tiny");
        ModelLease lease = (await alice.LeaseAsync("tiny")).Lease;

        SiloAddress[] silos = await Task.WhenAll(Enumerable.Range(0, 2).Select(async replica =>
        {
            Assert.Equal(TestSession.Answer(3), TestSession.Text(await cluster.GenerateAsync(lease, TestSession.Greedy(3), replica)));
            return cluster.SiloOf(cluster.Session(lease, replica).GetGrainId());
        }));

        Assert.NotEqual(silos[0], silos[1]);
        Assert.Equal(silos, Ranked(cluster, 1, lease)); // the other silo sees it alike
    }

    [Fact]
    public async Task UserGrains_OneCoreSilo_NeverElsewhere()
    {
        await using GrainCluster cluster = await GrainCluster.StartAsync(new TestSilo { Core = false }, s_coreOnly, new TestSilo { Core = false });
        TestUser[] users = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => cluster.CreateUserAsync($"user{i}")));

        Assert.All(users, user => Assert.Equal(cluster.Orleans.Silos[1].SiloAddress, cluster.SiloOf(user.Grain.GetGrainId())));
        Assert.All(users, user => Assert.Equal(
            cluster.Orleans.Silos[1].SiloAddress, cluster.SiloOf(cluster.Client.GetGrain<IUserNameGrain>(user.Name).GetGrainId())));
    }

    private static SiloAddress[] Ranked(GrainCluster cluster, int silo, ModelLease lease) =>
        cluster.Services(silo).GetRequiredService<AcceleratorSilos>().Ranked(lease.Version);

    /// <summary>Three letters, asked for at one silo as its API would.</summary>
    private static async Task<string> AnswerAsync(GrainCluster cluster, int silo, ModelLease lease)
    {
        SessionRouter router = cluster.Services(silo).GetRequiredService<SessionRouter>();
        await using RoutedSession session = await router.StartAsync(lease, TestSession.Greedy(3), TestContext.Current.CancellationToken);
        List<SessionEvent> events = [];
        while (await session.Events.MoveNextAsync()) events.Add(session.Events.Current);
        return TestSession.Text(events);
    }
}
