using TinyLlm.Grains.Access;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Users;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Tests.Users;

public sealed class TokenTests(SharedCluster shared) : IClassFixture<SharedCluster>
{
    private readonly GrainCluster _cluster = shared.Cluster;

    [Fact]
    public async Task Authenticate_WrongSecretOrOthersToken_IsNull()
    {
        TestUser alice = await _cluster.CreateUserAsync("auth-alice"), bob = await _cluster.CreateUserAsync("auth-bob");

        Assert.NotNull(await alice.Grain.AuthenticateAsync(alice.Token.Text));
        Assert.Null(await alice.Grain.AuthenticateAsync(AccessToken.New(alice.Id).Reveal())); // well-formed, and never issued
        Assert.Null(await alice.Grain.AuthenticateAsync(bob.Token.Text));
        Assert.Null(await alice.Grain.AuthenticateAsync(alice.Token.Text[..^1]));
        Assert.Null(await alice.Grain.AuthenticateAsync(""));
    }

    [Fact]
    public async Task Authenticate_Revoked_IsNullAtOnceAndOthersStay()
    {
        TestUser user = await _cluster.CreateUserAsync("revoker");
        IssuedToken second = await user.Grain.CreateToken(new TokenSpec { Name = "second", Scopes = TokenScopes.Infer, Models = ["tiny"] });
        TokenVerdict? verdict = await user.Grain.AuthenticateAsync(second.Text);
        Assert.Equal((TokenScopes.Infer, "tiny"), (verdict!.Scopes, Assert.Single(verdict.Models!.Value)));

        await user.Grain.RevokeToken(second.Id);

        Assert.Null(await user.Grain.AuthenticateAsync(second.Text));
        Assert.NotNull(await user.Grain.AuthenticateAsync(user.Token.Text));
        Assert.Equal(user.Token.Id, Assert.Single(await user.Grain.ListTokens()).Id);
        await Refusal.OfAsync(RequestError.NotFound, () => user.Grain.RevokeToken(second.Id));
    }

    /// <summary>Once a token with nothing but the right to write could end every other of its user, the one that makes tokens included.</summary>
    [Fact]
    public async Task RevokeToken_OfOneThatReachesMore_IsRefused()
    {
        TestUser user = await _cluster.CreateUserAsync("locked");
        TokenSpec narrow = new() { Name = "narrow", Scopes = TokenScopes.Read | TokenScopes.Write };
        TokenSpec oneModel = new() { Name = "one model", Scopes = TokenScopeNames.EveryUserScope, Models = ["tiny"] };
        foreach (TokenSpec spec in (TokenSpec[])[narrow, oneModel])
        {
            IssuedToken own = await user.Grain.CreateToken(spec);
            await Refusal.OfAsync(RequestError.ScopeLacking, () => user.Grain.RevokeToken(user.Token.Id, spec));
            Assert.NotNull(await user.Grain.AuthenticateAsync(user.Token.Text));
            await Refusal.OfAsync(RequestError.NotFound, () => user.Grain.RevokeToken("tok_nothing", spec));
            await user.Grain.RevokeToken(own.Id, spec); // itself it may
        }
        // One that lives shorter and may use less ends a leaked one that reaches no further.
        TokenSpec brief = new() { Name = "brief", Scopes = TokenScopeNames.EveryUserScope, ExpiresAt = _cluster.Time.GetUtcNow() + TimeSpan.FromHours(1), Limits = new TokenLimits { RequestsPerMinute = 1 } };
        await user.Grain.RevokeToken(user.Token.Id, brief);
        Assert.Null(await user.Grain.AuthenticateAsync(user.Token.Text));
    }

    [Fact]
    public async Task Authenticate_AtExpiry_IsNull()
    {
        TestUser user = await _cluster.CreateUserAsync("expirer");
        DateTimeOffset end = _cluster.Time.GetUtcNow() + TimeSpan.FromHours(1);
        IssuedToken token = await user.Grain.CreateToken(new TokenSpec { Name = "hour", Scopes = TokenScopes.Read, ExpiresAt = end });

        _cluster.Time.Advance(TimeSpan.FromHours(1) - TimeSpan.FromTicks(1));
        Assert.Equal(end, (await user.Grain.AuthenticateAsync(token.Text))!.ExpiresAt);
        _cluster.Time.Advance(TimeSpan.FromTicks(1));
        Assert.Null(await user.Grain.AuthenticateAsync(token.Text));
    }

    [Fact]
    public async Task CreateToken_OverTheBoundOrInThePast_IsRefused()
    {
        TestUser user = await _cluster.CreateUserAsync("hoarder");
        TokenSpec spec = new() { Name = "t", Scopes = TokenScopes.Read };

        await Refusal.OfAsync(RequestError.Malformed, () => user.Grain.CreateToken(spec with { ExpiresAt = _cluster.Time.GetUtcNow() }));
        for (int count = 1; count < new UserLimits().MaxTokens; count++) await user.Grain.CreateToken(spec);
        await Refusal.OfAsync(RequestError.QuotaExceeded, () => user.Grain.CreateToken(spec));
        await user.Grain.RevokeToken(user.Token.Id);
        Assert.NotNull(await user.Grain.AuthenticateAsync((await user.Grain.CreateToken(spec)).Text));
    }

    [Fact]
    public async Task ListTokens_AfterUse_TellsTheMinuteAndNeverTheText()
    {
        TestUser user = await _cluster.CreateUserAsync("lister");
        Assert.Null(Assert.Single(await user.Grain.ListTokens()).LastUsedAt);
        _cluster.Time.Advance(TimeSpan.FromSeconds(90));

        await user.Grain.AuthenticateAsync(user.Token.Text);

        DateTimeOffset used = Assert.Single(await user.Grain.ListTokens()).LastUsedAt!.Value;
        Assert.Equal(0, used.Second);
        Assert.InRange(_cluster.Time.GetUtcNow() - used, TimeSpan.Zero, TimeSpan.FromMinutes(1));
        StoredObject? stored = await _cluster.GrainState.GetAsync($"user-user/{user.Id}.json", TestContext.Current.CancellationToken);
        string state = System.Text.Encoding.UTF8.GetString(stored!.Bytes.Span);
        Assert.Contains(user.Token.Id, state, StringComparison.Ordinal);
        Assert.DoesNotContain(user.Token.Text[14..36], state, StringComparison.Ordinal);
    }
}
