using TinyLlm.Grains.Access;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Users;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Tests.Users;

/// <summary>What a user may do per minute and at once, counted in the user's grain. Time stands still until a test moves it.</summary>
public sealed class LimitTests(SharedCluster shared) : IClassFixture<SharedCluster>
{
    private readonly GrainCluster _cluster = shared.Cluster;

    [Fact]
    public async Task Admit_RateUsedUp_IsRefusedUntilTheTimeThatItTells()
    {
        TestUser user = await UserAsync("per-minute", new UserQuota { RequestsPerMinute = 6 });
        for (int left = 5; left >= 0; left--)
        {
            Admission admitted = await user.Grain.Admit(user.Token.Text);
            Assert.Null(admitted.RetryAfter);
            Assert.Equal((6, left), (admitted.Levels!.Requests.Limit, admitted.Levels.Requests.Remaining));
        }

        Admission refused = await user.Grain.Admit(user.Token.Text);
        Assert.Equal(TimeSpan.FromSeconds(10), refused.RetryAfter);
        Assert.NotNull(refused.Verdict);
        Assert.Equal(TimeSpan.FromMinutes(1), refused.Levels!.Requests.Reset);

        _cluster.Time.Advance(TimeSpan.FromSeconds(10) - TimeSpan.FromMilliseconds(1));
        Assert.NotNull((await user.Grain.Admit(user.Token.Text)).RetryAfter);
        _cluster.Time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Null((await user.Grain.Admit(user.Token.Text)).RetryAfter);
        Assert.NotNull((await user.Grain.Admit(user.Token.Text)).RetryAfter);
    }

    [Fact]
    public async Task Admit_TokenWithABoundOfItsOwn_LeavesTheUsersOtherTokensTheirs()
    {
        TestUser user = await UserAsync("own-bound", new UserQuota { RequestsPerMinute = 10 });
        IssuedToken narrow = await user.Grain.CreateToken(
            new TokenSpec { Name = "n", Scopes = TokenScopes.Read, Limits = new TokenLimits { RequestsPerMinute = 2 } });
        Assert.Equal((2, 1), Level(await user.Grain.Admit(narrow.Text)));
        Assert.Equal((2, 0), Level(await user.Grain.Admit(narrow.Text)));
        Assert.NotNull((await user.Grain.Admit(narrow.Text)).RetryAfter);
        Assert.Equal((10, 7), Level(await user.Grain.Admit(user.Token.Text))); // what the narrow one used counts for the user too
    }

    [Fact]
    public async Task Admit_UnknownToken_CountsNothing()
    {
        TestUser user = await UserAsync("unknown", new UserQuota { RequestsPerMinute = 2 });
        for (int i = 0; i < 5; i++) Assert.Null((await user.Grain.Admit(AccessToken.New(user.Id).Reveal())).Verdict);
        Assert.Equal((2, 1), Level(await user.Grain.Admit(user.Token.Text)));
    }

    [Fact]
    public async Task BeginStream_ReservesAndSettles()
    {
        TestUser user = await UserAsync("settle", new UserQuota { TokensPerMinute = 1000 });
        Assert.Equal(400, (await user.Grain.BeginStream(Stream(user, "a", 600))).Tokens.Remaining);

        RequestException refused = await Refusal.OfAsync(RequestError.RateLimited, () => user.Grain.BeginStream(Stream(user, "b", 700)));
        Assert.Equal(TimeSpan.FromMinutes(0.3), refused.RetryAfter);

        await user.Grain.EndStream(Use(user, "a", 100)); // 500 come back
        Assert.Equal(200, (await user.Grain.BeginStream(Stream(user, "b", 700))).Tokens.Remaining);
        await user.Grain.EndStream(Use(user, "b", 700));
        await user.Grain.EndStream(Use(user, "b", 700)); // twice is once
        Assert.Equal(200, (await user.Grain.Admit(user.Token.Text)).Levels!.Tokens.Remaining);
    }

    [Fact]
    public async Task RenewStreams_BeyondTheReservation_IsTakenWhileItRuns_AndPaidBackFirst()
    {
        TestUser user = await UserAsync("debt", new UserQuota { TokensPerMinute = 600 });
        await user.Grain.BeginStream(Stream(user, "a", 100));
        await user.Grain.RenewStreams([Use(user, "a", 50)]);
        Assert.Equal(500, (await user.Grain.Admit(user.Token.Text)).Levels!.Tokens.Remaining); // within what is reserved
        await user.Grain.RenewStreams([Use(user, "a", 900)]);
        Assert.Equal(0, (await user.Grain.Admit(user.Token.Text)).Levels!.Tokens.Remaining);
        await user.Grain.EndStream(Use(user, "a", 900));

        RequestException refused = await Refusal.OfAsync(RequestError.RateLimited, () => user.Grain.BeginStream(Stream(user, "b", 1)));
        Assert.Equal(30.1, refused.RetryAfter!.Value.TotalSeconds, 3); // 300 owed, and one more, at ten a second
        _cluster.Time.Advance(refused.RetryAfter.Value);
        await user.Grain.BeginStream(Stream(user, "b", 1));
    }

    [Fact]
    public async Task BeginStream_MoreThanAMinuteHolds_IsLetInWhenTheRateIsFull()
    {
        TestUser user = await UserAsync("large", new UserQuota { TokensPerMinute = 100 });
        await user.Grain.BeginStream(Stream(user, "a", 5000));
        await user.Grain.EndStream(Use(user, "a", 150));
        RequestException refused = await Refusal.OfAsync(RequestError.RateLimited, () => user.Grain.BeginStream(Stream(user, "b", 5000)));
        Assert.Equal(TimeSpan.FromMinutes(1.5), refused.RetryAfter);
    }

    [Fact]
    public async Task BeginStream_EveryPlaceTaken_IsRefusedUntilOneEndsOrItsProcessIsGone()
    {
        TestUser user = await UserAsync("places", new UserQuota { ConcurrentStreams = 2 });
        await user.Grain.BeginStream(Stream(user, "a", 1));
        await user.Grain.BeginStream(Stream(user, "b", 1));
        RequestException refused = await Refusal.OfAsync(RequestError.RateLimited, () => user.Grain.BeginStream(Stream(user, "c", 1)));
        Assert.NotNull(refused.RetryAfter);
        await user.Grain.EndStream(Use(user, "a", 1));
        await user.Grain.BeginStream(Stream(user, "c", 1));

        // "b" is told of, "c" never: its process died.
        _cluster.Time.Advance(TimeSpan.FromSeconds(9));
        await user.Grain.RenewStreams([Use(user, "b", 1)]);
        _cluster.Time.Advance(TimeSpan.FromSeconds(2));
        await user.Grain.BeginStream(Stream(user, "d", 1));
        await Refusal.OfAsync(RequestError.RateLimited, () => user.Grain.BeginStream(Stream(user, "e", 1)));
    }

    /// <summary>The calls of one process may overtake each other: a stream that ended must not come back and hold a place.</summary>
    [Fact]
    public async Task RenewStreams_AfterTheEnd_TakesNoPlace()
    {
        TestUser user = await UserAsync("overtaken", new UserQuota { ConcurrentStreams = 1 });
        await user.Grain.BeginStream(Stream(user, "a", 1));
        await user.Grain.EndStream(Use(user, "a", 1));
        await user.Grain.RenewStreams([Use(user, "a", 1)]);
        await user.Grain.BeginStream(Stream(user, "b", 1));
    }

    [Fact]
    public async Task RenewStreams_CredentialEnded_IsCut()
    {
        TestUser user = await _cluster.CreateUserAsync("cut");
        DateTimeOffset hour = _cluster.Time.GetUtcNow() + TimeSpan.FromHours(1);
        IssuedToken second = await user.Grain.CreateToken(new TokenSpec { Name = "second", Scopes = TokenScopes.Infer });
        StreamUse revoked = new() { StreamId = "revoked", Bearer = new Bearer { TokenId = second.Id }, Tokens = 1 };
        StreamUse expiring = new() { StreamId = "expiring", Bearer = new Bearer { ExpiresAt = hour }, Tokens = 1 };
        StreamUse staying = Use(user, "staying", 1);
        Assert.Empty(await user.Grain.RenewStreams([revoked, expiring, staying]));

        await user.Grain.RevokeToken(second.Id);
        Assert.Equal(["revoked"], await user.Grain.RenewStreams([revoked, expiring, staying]));
        _cluster.Time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(["expiring"], await user.Grain.RenewStreams([expiring, staying]));
        await user.Grain.Forget();
        Assert.Equal(["staying"], await user.Grain.RenewStreams([staying]));
    }

    [Fact]
    public async Task Rates_AfterARestart_AreWhereTheyWere()
    {
        TestUser user = await UserAsync("restart", new UserQuota { RequestsPerMinute = 10, TokensPerMinute = 1000 });
        for (int i = 0; i < 8; i++) await user.Grain.Admit(user.Token.Text);
        await user.Grain.BeginStream(Stream(user, "a", 600));
        await _cluster.Orleans.DeactivateAsync(user.Grain);

        Admission after = await user.Grain.Admit(user.Token.Text);
        Assert.Equal((10, 1), Level(after));
        Assert.Equal(400, after.Levels!.Tokens.Remaining);

        // The stream that the old activation had begun is told of again, and was debited before.
        await user.Grain.RenewStreams([Use(user, "a", 300)]);
        await user.Grain.EndStream(Use(user, "a", 310));
        Assert.Equal(390, (await user.Grain.Admit(user.Token.Text)).Levels!.Tokens.Remaining);
    }

    [Fact]
    public async Task LastUsed_AfterARestart_IsKnown()
    {
        TestUser user = await _cluster.CreateUserAsync("last-used");
        await user.Grain.Admit(user.Token.Text);
        DateTimeOffset used = Assert.Single(await user.Grain.ListTokens()).LastUsedAt!.Value;
        await _cluster.Orleans.DeactivateAsync(user.Grain);
        Assert.Equal(used, Assert.Single(await user.Grain.ListTokens()).LastUsedAt);
    }

    [Fact]
    public async Task SetQuota_BytesAndModels_HoldAtOnce_AndNullIsTheDefaultAgain()
    {
        TestUser user = await UserAsync("quota", new UserQuota { Models = 1, StoredBytes = 1 << 20, ResidentBytes = 10 });
        await user.PublishAsync("one");
        await Refusal.OfAsync(RequestError.QuotaExceeded, () => user.PublishAsync("two"));
        await Refusal.OfAsync(RequestError.QuotaExceeded, () => user.Grain.LeaseStream(
            new StreamLeaseSpec { Caller = user.Id, Model = "one", StreamId = "s", PromptTokens = 1, MaxTokens = 1 }));
        await user.Grain.SetQuota(new UserQuota { StoredBytes = 10 });
        await Refusal.OfAsync(RequestError.QuotaExceeded, () => user.PublishAsync("two"));

        UserQuota now = await user.Grain.SetQuota(new UserQuota());
        Assert.Equal(new UserLimits().MaxModels, now.Models);
        Assert.Equal(now, (await user.Grain.Describe())!.Quota);
        await user.PublishAsync("two");
    }

    [Fact]
    public async Task CountTraining_BeyondTheDay_IsRefusedUntilTomorrow()
    {
        TestUser user = await UserAsync("training", new UserQuota { TrainingStepsPerDay = 100 });
        await user.Grain.CountTraining(60);
        await Refusal.OfAsync(RequestError.QuotaExceeded, () => user.Grain.CountTraining(41));
        await user.Grain.CountTraining(40);
        await _cluster.Orleans.DeactivateAsync(user.Grain);
        await Refusal.OfAsync(RequestError.QuotaExceeded, () => user.Grain.CountTraining(1));
        _cluster.Time.Advance(TimeSpan.FromDays(1));
        await user.Grain.CountTraining(100);
    }

    private async Task<TestUser> UserAsync(string name, UserQuota quota)
    {
        TestUser user = await _cluster.CreateUserAsync(name);
        await user.Grain.SetQuota(quota);
        return user;
    }

    private static (long, long) Level(Admission admission) => (admission.Levels!.Requests.Limit, admission.Levels.Requests.Remaining);

    private static StreamSpec Stream(TestUser user, string id, long tokens) => new() { StreamId = id, Bearer = Bearer(user), ReservedTokens = tokens };

    private static StreamUse Use(TestUser user, string id, long tokens) => new() { StreamId = id, Bearer = Bearer(user), Tokens = tokens };

    private static Bearer Bearer(TestUser user) => new() { TokenId = user.Token.Id };
}
