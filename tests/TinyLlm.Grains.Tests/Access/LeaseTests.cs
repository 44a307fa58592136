using TinyLlm.Grains.Access;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Residency;
using TinyLlm.Grains.Sessions;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Tests.Access;

public sealed class LeaseTests(SharedCluster shared) : IClassFixture<SharedCluster>
{
    private readonly GrainCluster _cluster = shared.Cluster;

    [Fact]
    public async Task Lease_AnothersModelAndAMissingOne_AreRefusedAlike()
    {
        TestUser alice = await _cluster.CreateUserAsync("lease-alice"), bob = await _cluster.CreateUserAsync("lease-bob");
        await alice.PublishAsync("tiny");
        await alice.LeaseAsync("tiny");

        RequestException others = await Refusal.OfAsync(RequestError.NotFound, () => alice.Grain.Lease(bob.Id, "tiny", null, ModelRight.Infer));
        Func<Task>[] missing =
        [
            () => alice.Grain.Lease(bob.Id, "missing", null, ModelRight.Infer),
            () => alice.Grain.Lease(alice.Id, "missing", null, ModelRight.Infer),
            () => alice.Grain.Lease(alice.Id, "tiny", 2, ModelRight.Download),
            () => alice.Grain.Lease(alice.Id, "../tiny", null, ModelRight.Infer),
            () => alice.Grain.ListVersions(bob.Id, "tiny"),
            () => alice.Grain.ListVersions(bob.Id, "missing"),
            () => _cluster.User(UserId.New()).Lease(bob.Id, "tiny", null, ModelRight.Infer),
        ];
        foreach (Func<Task> call in missing) Assert.Equal(Refusal.Seen(others), Refusal.Seen(await Refusal.OfAsync(RequestError.NotFound, call)));
    }

    [Fact]
    public async Task Session_AnyFieldTampered_IsRefusedAsMissing()
    {
        TestUser alice = await _cluster.CreateUserAsync("tamper-alice"), bob = await _cluster.CreateUserAsync("tamper-bob");
        await alice.PublishAsync("tiny");
        ModelLease lease = (await alice.LeaseAsync("tiny")).Lease;
        byte[] flipped = lease.Mac.ToArray();
        flipped[^1] ^= 1;
        ModelLease[] forged =
        [
            lease with { Caller = bob.Id },
            lease with { Caller = default },
            lease with { Owner = bob.Id },
            lease with { Version = VersionId.New() },
            lease with { ManifestDigest = new string('0', 64) },
            lease with { ManifestDigest = null! },
            lease with { Right = ModelRight.Download },
            lease with { ExpiresAt = lease.ExpiresAt.AddTicks(1) },
            lease with { Model = "bob/tiny" },
            lease with { KeepAlive = KeepAlive.Pinned },
            lease with { KeepAlive = KeepAlive.For(TimeSpan.Zero) },
            lease with { PinnableBytes = 1 },
            lease with { Mac = flipped },
            lease with { Mac = lease.Mac[..16] },
            lease with { Mac = default },
        ];

        foreach (ModelLease bad in forged) await AssertRefusedAsync(lease.Version, bad);
        await AssertRefusedAsync(lease.Version, _cluster.Sign(lease with { Right = ModelRight.Download })); // authentic, for another right
        await AssertRefusedAsync(VersionId.New(), lease); // authentic, for another version than the session's
        Assert.Equal(TestSession.Answer(2), TestSession.Text(await _cluster.GenerateAsync(lease, TestSession.Greedy(2))));
    }

    [Fact]
    public async Task Session_LeaseExpired_IsRefused()
    {
        TestUser alice = await _cluster.CreateUserAsync("expired-alice");
        await alice.PublishAsync("tiny");
        ModelLease lease = (await alice.LeaseAsync("tiny")).Lease;
        Assert.Equal(TimeSpan.FromSeconds(60), lease.ExpiresAt - _cluster.Time.GetUtcNow());

        _cluster.Time.Advance(TimeSpan.FromSeconds(60) - TimeSpan.FromTicks(1));
        Assert.Equal(TestSession.Answer(2), TestSession.Text(await _cluster.GenerateAsync(lease, TestSession.Greedy(2))));
        _cluster.Time.Advance(TimeSpan.FromTicks(1));
        await AssertRefusedAsync(lease.Version, lease);
    }

    /// <summary>A version that was deleted after its lease was given was a fault of ours, and is now what it is: a model that does not exist.</summary>
    [Fact]
    public async Task Session_VersionDeletedAfterTheLease_IsRefusedAsMissing()
    {
        TestUser alice = await _cluster.CreateUserAsync("deleter");
        await alice.PublishAsync("tiny");
        ModelLease lease = (await alice.LeaseAsync("tiny")).Lease;
        await alice.Grain.DeleteModel("tiny");
        await AssertRefusedAsync(lease.Version, lease);
    }

    [Fact]
    public void Signer_OtherKey_Refuses()
    {
        ModelLease lease = new LeaseSigner(new byte[32], TimeProvider.System).Sign(new ModelLease
        {
            Caller = UserId.New(),
            Owner = UserId.New(),
            Version = VersionId.New(),
            ManifestDigest = "00",
            Model = "a/b",
            SignatureDigest = "00",
            Right = ModelRight.Infer,
            ExpiresAt = default,
        });
        new LeaseSigner(new byte[32], TimeProvider.System).Verify(lease, ModelRight.Infer);
        byte[] other = new byte[32];
        other[0] = 1;
        Assert.Equal(RequestError.NotFound, Assert.Throws<RequestException>(() => new LeaseSigner(other, TimeProvider.System).Verify(lease, ModelRight.Infer)).Error);
        Assert.Throws<ArgumentOutOfRangeException>(() => new LeaseSigner(new byte[31], TimeProvider.System));
    }

    private async Task AssertRefusedAsync(VersionId session, ModelLease lease)
    {
        IModelSessionGrain grain = _cluster.Client.GetGrain<IModelSessionGrain>(new SessionKey(session, _cluster.Orleans.Silos[0].SiloAddress).ToString());
        List<SessionEvent> events = [];
        await foreach (SessionEvent item in grain.Generate(lease, TestSession.Greedy(2), TestContext.Current.CancellationToken)) events.Add(item);
        RequestException refusal = Assert.IsType<SessionRefused>(Assert.Single(events)).Reason;
        Assert.Equal(Refusal.Seen(RequestException.NotFound("model")), Refusal.Seen(refusal));
    }
}
