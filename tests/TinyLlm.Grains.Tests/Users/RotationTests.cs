using TinyLlm.Grains.Access;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Users;

namespace TinyLlm.Grains.Tests.Users;

public sealed class RotationTests(SharedCluster shared) : IClassFixture<SharedCluster>
{
    private static readonly TokenSpec s_everything = new() { Name = "", Scopes = TokenScopeNames.EveryUserScope };

    private readonly GrainCluster _cluster = shared.Cluster;

    [Fact]
    public async Task RotateToken_OldSecret_LastsForTheGraceTimeAndNoLonger()
    {
        TestUser user = await _cluster.CreateUserAsync("rotates");
        RotatedToken fresh = await user.Grain.RotateToken(Rotation(user.Token.Id, TimeSpan.FromMinutes(5)));
        Assert.Equal(_cluster.Time.GetUtcNow() + TimeSpan.FromMinutes(5), fresh.OldValidUntil);
        Assert.Equal((user.Token.Id, 0), Of(await user.Grain.AuthenticateAsync(user.Token.Text)));
        Assert.Equal((user.Token.Id, 1), Of(await user.Grain.AuthenticateAsync(fresh.Text)));

        StreamUse ofOld = new() { StreamId = "old", Bearer = new Bearer { TokenId = user.Token.Id, Serial = 0 }, Tokens = 1 };
        StreamUse ofNew = new() { StreamId = "new", Bearer = new Bearer { TokenId = user.Token.Id, Serial = 1 }, Tokens = 1 };
        Assert.Empty(await user.Grain.RenewStreams([ofOld, ofNew]));
        _cluster.Time.Advance(TimeSpan.FromMinutes(5));
        Assert.Null(await user.Grain.AuthenticateAsync(user.Token.Text));
        Assert.NotNull(await user.Grain.AuthenticateAsync(fresh.Text));
        Assert.Equal(["old"], await user.Grain.RenewStreams([ofOld, ofNew]));
        Assert.Single(await user.Grain.ListTokens());
    }

    [Fact]
    public async Task RotateToken_WithoutGrace_EndsTheOldSecretAtOnce_AndASecondRotationTheGraceOfTheFirst()
    {
        TestUser user = await _cluster.CreateUserAsync("at-once");
        RotatedToken second = await user.Grain.RotateToken(Rotation(user.Token.Id, TimeSpan.Zero));
        Assert.Null(await user.Grain.AuthenticateAsync(user.Token.Text));
        RotatedToken third = await user.Grain.RotateToken(Rotation(user.Token.Id, TimeSpan.FromHours(1)));
        RotatedToken fourth = await user.Grain.RotateToken(Rotation(user.Token.Id, TimeSpan.FromHours(1)));
        Assert.Null(await user.Grain.AuthenticateAsync(second.Text));
        Assert.NotNull(await user.Grain.AuthenticateAsync(third.Text));
        Assert.NotNull(await user.Grain.AuthenticateAsync(fourth.Text));
        await _cluster.Orleans.DeactivateAsync(user.Grain);
        Assert.NotNull(await user.Grain.AuthenticateAsync(third.Text));
    }

    /// <summary>The answer is a working secret: a narrow token must not get a wide one's by rotating it.</summary>
    [Fact]
    public async Task RotateToken_OfOneThatMayDoMore_IsRefused()
    {
        TestUser user = await _cluster.CreateUserAsync("wider");
        DateTimeOffset soon = _cluster.Time.GetUtcNow() + TimeSpan.FromHours(1);
        TokenSpec[] asking =
        [
            s_everything with { Scopes = TokenScopes.Write },
            s_everything with { Models = ["wider/one"] },
            s_everything with { ExpiresAt = soon },
            s_everything with { Limits = new TokenLimits { RequestsPerMinute = 5 } },
        ];
        foreach (TokenSpec spec in asking)
        {
            await Refusal.OfAsync(RequestError.ScopeLacking, () => user.Grain.RotateToken(Rotation(user.Token.Id, TimeSpan.Zero) with { Asking = spec }));
            IssuedToken own = await user.Grain.CreateToken(spec with { Name = "own" });
            await user.Grain.RotateToken(Rotation(own.Id, TimeSpan.Zero) with { Asking = spec }); // itself it may
        }
        Assert.NotNull(await user.Grain.AuthenticateAsync(user.Token.Text));
        await Refusal.OfAsync(RequestError.NotFound, () => user.Grain.RotateToken(Rotation("tok_nothing", TimeSpan.Zero)));
    }

    private static TokenRotation Rotation(string id, TimeSpan grace) => new() { TokenId = id, Grace = grace, Asking = s_everything };

    private static (string?, int) Of(TokenVerdict? verdict) => (verdict!.TokenId, verdict.Serial);
}
