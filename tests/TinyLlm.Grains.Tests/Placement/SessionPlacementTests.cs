using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Errors;
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
        IGrainFactory[] callers = [cluster.Client, cluster.Services(0).GetRequiredService<IGrainFactory>(), cluster.Services(1).GetRequiredService<IGrainFactory>()];
        List<SessionEvent>[] answers = await Task.WhenAll(leases.Select((lease, i) => callers[i % 3].GenerateAsync(lease, TestSession.Greedy(3))));

        Assert.Equal(TestSession.Answer(3), TestSession.Text(answers[0]));
        Assert.All(answers[1..], events => Assert.Equal(RequestError.NotFound, Assert.IsType<SessionRefused>(Assert.Single(events)).Reason.Error));
        Assert.All(leases, lease => Assert.Equal(cluster.Orleans.Silos[0].SiloAddress, cluster.SiloOf(cluster.Client.Session(lease).GetGrainId())));
        Assert.Equal(cluster.Orleans.Silos[1].SiloAddress, cluster.SiloOf(alice.Grain.GetGrainId()));
        foreach (IGrainFactory caller in callers) Assert.Equal(TestSession.Answer(2), TestSession.Text(await caller.GenerateAsync(real, TestSession.Greedy(2))));
    }

    [Fact]
    public async Task Session_NoAcceleratorAnywhere_RefusesSoonWithRetryAfter()
    {
        await using GrainCluster cluster = await GrainCluster.StartAsync(s_coreOnly, s_coreOnly);
        TestUser alice = await cluster.CreateUserAsync("alice");
        await alice.PublishAsync("tiny");
        ModelLease lease = (await alice.LeaseAsync("tiny")).Lease;

        foreach (IGrainFactory caller in (IGrainFactory[])[cluster.Client, cluster.Services(0).GetRequiredService<IGrainFactory>(), cluster.Services(1).GetRequiredService<IGrainFactory>()])
        {
            long begun = Stopwatch.GetTimestamp();
            RequestException refusal = await Refusal.OfAsync(RequestError.NoAccelerator, () => caller.GenerateAsync(lease, TestSession.Greedy(3)));
            Assert.True(refusal.RetryAfter > TimeSpan.Zero);
            TestContext.Current.SendDiagnosticMessage("refused after {0}", Stopwatch.GetElapsedTime(begun));
            Assert.InRange(Stopwatch.GetElapsedTime(begun), TimeSpan.Zero, TimeSpan.FromSeconds(5));
        }
    }

    [Fact]
    public async Task Session_AcceleratorJoinsAfterARefusal_IsServedThere()
    {
        await using GrainCluster cluster = await GrainCluster.StartAsync(s_coreOnly);
        TestUser alice = await cluster.CreateUserAsync("alice");
        await alice.PublishAsync("tiny");
        ModelLease lease = (await alice.LeaseAsync("tiny")).Lease;
        await Refusal.OfAsync(RequestError.NoAccelerator, () => cluster.Client.GenerateAsync(lease, TestSession.Greedy(3)));

        Orleans.Runtime.SiloAddress joined = await cluster.AddSiloAsync(new TestSilo { Core = false });

        Assert.Equal(TestSession.Answer(3), TestSession.Text(await cluster.Client.GenerateAsync(lease, TestSession.Greedy(3))));
        Assert.Equal(joined, cluster.SiloOf(cluster.Client.Session(lease).GetGrainId()));
    }

    [Fact]
    public async Task Replicas_TwoAccelerators_LandOnDifferentSilos()
    {
        await using GrainCluster cluster = await GrainCluster.StartAsync(new TestSilo(), new TestSilo());
        TestUser alice = await cluster.CreateUserAsync("alice");
        await alice.PublishAsync("tiny");
        ModelLease lease = (await alice.LeaseAsync("tiny")).Lease;

        Orleans.Runtime.SiloAddress[] silos = await Task.WhenAll(Enumerable.Range(0, 4).Select(async replica =>
        {
            Assert.Equal(TestSession.Answer(3), TestSession.Text(await cluster.Client.GenerateAsync(lease, TestSession.Greedy(3), replica)));
            return cluster.SiloOf(cluster.Client.Session(lease, replica).GetGrainId());
        }));

        Assert.NotEqual(silos[0], silos[1]);
        Assert.Equal((silos[0], silos[1]), (silos[2], silos[3]));
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
}
