using TinyLlm.Grains.Access;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Sharing;
using TinyLlm.Grains.Users;

namespace TinyLlm.Grains.Tests.Sharing;

/// <summary>Who else may use a model, for how long, and for how many tokens.</summary>
public sealed class GrantTests(SharedCluster shared) : IClassFixture<SharedCluster>
{
    private readonly GrainCluster _cluster = shared.Cluster;

    [Fact]
    public async Task Lease_WithoutAGrant_IsRefusedLikeAMissingModel_AndWithOneGiven()
    {
        (TestUser owner, TestUser other) = await PairAsync("basic");
        RequestException missing = await Refusal.OfAsync(RequestError.NotFound, () => owner.Grain.Lease(other.Id, "nothing", null, ModelRight.Infer));
        RequestException foreign = await Refusal.OfAsync(RequestError.NotFound, () => owner.Grain.Lease(other.Id, "tiny", null, ModelRight.Infer));
        Assert.Equal(Refusal.Seen(missing), Refusal.Seen(foreign));

        await owner.Grain.Grant(To(other));
        GrantedModel granted = await owner.Grain.Lease(other.Id, "tiny", null, ModelRight.Infer);
        Assert.Equal((other.Id, owner.Id), (granted.Lease.Caller, granted.Lease.Owner));
        Assert.Equal(TestSession.Answer(3), TestSession.Text(await _cluster.GenerateAsync(granted.Lease, TestSession.Greedy(3))));

        await owner.Grain.RevokeGrant("tiny", other.Id);
        RequestException revoked = await Refusal.OfAsync(RequestError.NotFound, () => owner.Grain.Lease(other.Id, "tiny", null, ModelRight.Infer));
        Assert.Equal(Refusal.Seen(missing), Refusal.Seen(revoked));
        await Refusal.OfAsync(RequestError.NotFound, () => owner.Grain.RevokeGrant("tiny", other.Id));
    }

    [Fact]
    public async Task Lease_EachRight_GivesThatAlone()
    {
        (TestUser owner, TestUser other) = await PairAsync("rights");
        foreach (ModelRight right in (ModelRight[])[ModelRight.Infer, ModelRight.Download, ModelRight.FineTune])
        {
            await owner.Grain.Grant(To(other) with { Rights = right });
            foreach (ModelRight asked in (ModelRight[])[ModelRight.Infer, ModelRight.Download, ModelRight.FineTune])
            {
                if (asked == right) Assert.Equal(right, (await owner.Grain.Lease(other.Id, "tiny", null, asked)).Lease.Right);
                else await Refusal.OfAsync(RequestError.NotFound, () => owner.Grain.Lease(other.Id, "tiny", null, asked));
            }
            Assert.Equal("tiny", (await owner.Grain.FindModel(other.Id, "tiny", null)).Version.Model); // any right shows it
            Assert.Single(await owner.Grain.ListVersions(other.Id, "tiny"));
        }
    }

    [Fact]
    public async Task Grant_AtItsExpiry_Ends()
    {
        (TestUser owner, TestUser other) = await PairAsync("expiry");
        await Refusal.OfAsync(RequestError.Malformed, () => owner.Grain.Grant(To(other) with { ExpiresAt = _cluster.Time.GetUtcNow() }));
        await owner.Grain.Grant(To(other) with { ExpiresAt = _cluster.Time.GetUtcNow() + TimeSpan.FromHours(1) });
        GrantedModel granted = await LeaseStreamAsync(owner, other, "s", 1, 1);
        LeaseUse use = Use(granted, "s", 1);
        _cluster.Time.Advance(TimeSpan.FromHours(1) - TimeSpan.FromTicks(1));
        Assert.Empty(await owner.Grain.RenewLeases(other.Id, [use]));
        _cluster.Time.Advance(TimeSpan.FromTicks(1));
        Assert.Equal(["s"], await owner.Grain.RenewLeases(other.Id, [use]));
        await Refusal.OfAsync(RequestError.NotFound, () => LeaseStreamAsync(owner, other, "t", 1, 1));
        Assert.Empty(await owner.Grain.ListGrants("tiny"));
    }

    [Fact]
    public async Task RenewLeases_VersionGrantOrOwnerGone_AreCut()
    {
        (TestUser owner, TestUser other) = await PairAsync("renew");
        await owner.Grain.Grant(To(other));
        GrantedModel first = await LeaseStreamAsync(owner, other, "first", 1, 1);
        await owner.PublishAsync("tiny");
        GrantedModel second = await LeaseStreamAsync(owner, other, "second", 1, 1);
        LeaseUse[] uses = [Use(first, "first", 1), Use(second, "second", 1)];
        Assert.Empty(await owner.Grain.RenewLeases(other.Id, [.. uses]));
        Assert.Empty(await owner.Grain.RenewLeases(owner.Id, [.. uses])); // the owner's own

        await owner.Grain.DeleteVersion("tiny", 1);
        Assert.Equal(["first"], await owner.Grain.RenewLeases(other.Id, [.. uses]));
        Assert.Equal(["first"], await owner.Grain.RenewLeases(owner.Id, [.. uses]));
        await owner.Grain.RevokeGrant("tiny", other.Id);
        Assert.Equal(["first", "second"], await owner.Grain.RenewLeases(other.Id, [.. uses]));
        await owner.Grain.Forget();
        Assert.Equal(["first", "second"], await owner.Grain.RenewLeases(owner.Id, [.. uses]));
    }

    /// <summary>A name that comes again is another model, and another user: neither inherits.</summary>
    [Fact]
    public async Task Grant_ModelDeletedAndMadeAgain_IsGone()
    {
        (TestUser owner, TestUser other) = await PairAsync("again");
        await owner.Grain.Grant(To(other));
        await owner.Grain.DeleteModel("tiny");
        await owner.PublishAsync("tiny");
        await Refusal.OfAsync(RequestError.NotFound, () => owner.Grain.Lease(other.Id, "tiny", null, ModelRight.Infer));

        await owner.Grain.Grant(To(other));
        await other.Grain.Forget();
        TestUser namesake = await _cluster.CreateUserAsync(other.Name);
        Assert.NotEqual(other.Id, namesake.Id);
        await Refusal.OfAsync(RequestError.NotFound, () => owner.Grain.Lease(namesake.Id, "tiny", null, ModelRight.Infer));
        Assert.Empty(await Index(namesake).List());
    }

    [Fact]
    public async Task Grant_ToEveryone_ReachesEveryUserAndNobodyElse()
    {
        (TestUser owner, TestUser other) = await PairAsync("everyone");
        await owner.Grain.Grant(To(null));
        Assert.Equal(owner.Id, (await owner.Grain.Lease(other.Id, "tiny", null, ModelRight.Infer)).Lease.Owner);
        Assert.Contains(new SharedModel(owner.Id, "tiny"), await Everyone.List());
        await owner.Grain.RevokeGrant("tiny", null);
        await Refusal.OfAsync(RequestError.NotFound, () => owner.Grain.Lease(other.Id, "tiny", null, ModelRight.Infer));
        Assert.DoesNotContain(new SharedModel(owner.Id, "tiny"), await Everyone.List());
    }

    [Fact]
    public async Task TokenBudget_StreamsSideBySide_CanNotReserveTheSameTokens()
    {
        (TestUser owner, TestUser other) = await PairAsync("budget");
        await owner.Grain.Grant(To(other) with { TokenBudget = 100 });
        GrantedModel first = await LeaseStreamAsync(owner, other, "first", 10, 50);
        RequestException refused = await Refusal.OfAsync(RequestError.QuotaExceeded, () => LeaseStreamAsync(owner, other, "second", 10, 31));
        Assert.Contains("40 tokens of the grant are left", refused.Message, StringComparison.Ordinal);
        GrantedModel second = await LeaseStreamAsync(owner, other, "second", 10, null); // no bound of its own: what is left
        Assert.Equal(30, second.MaxTokens);
        await Refusal.OfAsync(RequestError.QuotaExceeded, () => LeaseStreamAsync(owner, other, "third", 1, 1));

        await owner.Grain.EndLease(other.Id, Use(first, "first", 25)); // 35 come back
        await owner.Grain.EndLease(other.Id, Use(first, "first", 25)); // twice is once
        Assert.Equal(34, (await LeaseStreamAsync(owner, other, "third", 1, null)).MaxTokens);
        await owner.Grain.EndLease(other.Id, Use(second, "second", 40));
        await owner.Grain.EndLease(other.Id, Use(second, "third", 35));
        Assert.Equal(100, Assert.Single(await owner.Grain.ListGrants("tiny")).TokensUsed);
        await Refusal.OfAsync(RequestError.QuotaExceeded, () => LeaseStreamAsync(owner, other, "fourth", 1, 1));

        // The owner needs no budget; a restart forgets nothing; a grant made again begins anew.
        Assert.Null((await LeaseStreamAsync(owner, owner, "own", 1, null)).MaxTokens);
        await _cluster.Orleans.DeactivateAsync(owner.Grain);
        await Refusal.OfAsync(RequestError.QuotaExceeded, () => LeaseStreamAsync(owner, other, "fourth", 1, 1));
        await owner.Grain.Grant(To(other) with { TokenBudget = 100 });
        Assert.Equal(0, Assert.Single(await owner.Grain.ListGrants("tiny")).TokensUsed);
        await LeaseStreamAsync(owner, other, "fifth", 1, 99);
    }

    /// <summary>A prompt may have more tokens than anybody could know before.</summary>
    [Fact]
    public async Task TokenBudget_Overdrawn_CutsTheStream()
    {
        (TestUser owner, TestUser other) = await PairAsync("overdrawn");
        await owner.Grain.Grant(To(other) with { TokenBudget = 100 });
        GrantedModel granted = await LeaseStreamAsync(owner, other, "s", 10, 50);
        Assert.Empty(await owner.Grain.RenewLeases(other.Id, [Use(granted, "s", 100)]));
        Assert.Equal(["s"], await owner.Grain.RenewLeases(other.Id, [Use(granted, "s", 101)]));
    }

    [Fact]
    public async Task TokenBudget_ProcessThatDied_GivesBackWhatItHadReserved()
    {
        (TestUser owner, TestUser other) = await PairAsync("died");
        await owner.Grain.Grant(To(other) with { TokenBudget = 100 });
        GrantedModel granted = await LeaseStreamAsync(owner, other, "s", 10, 90);
        await owner.Grain.RenewLeases(other.Id, [Use(granted, "s", 30)]);
        _cluster.Time.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(69, (await LeaseStreamAsync(owner, other, "t", 1, null)).MaxTokens);
    }

    [Fact]
    public async Task Grant_BeyondTheBoundsOfModelOrIndex_IsRefused()
    {
        await using GrainCluster cluster = await GrainCluster.StartAsync(new TestSilo { Limits = limits => limits.MaxGrants = 2 });
        TestUser owner = await cluster.CreateUserAsync("owner");
        await owner.PublishAsync("tiny");
        await Refusal.OfAsync(RequestError.NotFound, () => owner.Grain.Grant(To(null) with { Model = "nothing" }));
        TestUser[] others = [await cluster.CreateUserAsync("a"), await cluster.CreateUserAsync("b"), await cluster.CreateUserAsync("c")];
        await owner.Grain.Grant(To(others[0]));
        await owner.Grain.Grant(To(others[1]));
        await Refusal.OfAsync(RequestError.QuotaExceeded, () => owner.Grain.Grant(To(others[2])));
        await owner.Grain.Grant(To(others[1]) with { TokenBudget = 5 }); // the same again is no more

        IShareIndexGrain full = cluster.Client.GetGrain<IShareIndexGrain>(others[2].Id.Value);
        for (int i = 1; i <= 1000; i++) await full.Apply(new ShareNotice { Owner = others[0].Id, Model = $"m{i}", IsShared = true, Serial = i });
        await owner.Grain.RevokeGrant("tiny", others[0].Id);
        await Refusal.OfAsync(RequestError.QuotaExceeded, () => owner.Grain.Grant(To(others[2])));
    }

    private IShareIndexGrain Everyone => _cluster.Client.GetGrain<IShareIndexGrain>("*");

    private IShareIndexGrain Index(TestUser user) => _cluster.Client.GetGrain<IShareIndexGrain>(user.Id.Value);

    private async Task<(TestUser Owner, TestUser Other)> PairAsync(string name)
    {
        (TestUser owner, TestUser other) = (await _cluster.CreateUserAsync($"{name}-owner"), await _cluster.CreateUserAsync($"{name}-other"));
        await owner.PublishAsync("tiny");
        return (owner, other);
    }

    private static GrantSpec To(TestUser? other) => new() { Model = "tiny", Grantee = other?.Id, GranteeName = other?.Name ?? "*", Rights = ModelRight.Infer };

    private static Task<GrantedModel> LeaseStreamAsync(TestUser owner, TestUser caller, string id, long prompt, long? max) => owner.Grain.LeaseStream(
        new StreamLeaseSpec { Caller = caller.Id, Model = "tiny", StreamId = id, PromptTokens = prompt, MaxTokens = max });

    private static LeaseUse Use(GrantedModel granted, string id, long tokens) => new() { StreamId = id, Model = "tiny", Version = granted.Version.Version, Tokens = tokens };
}
