using TinyLlm.Grains.Access;
using TinyLlm.Grains.Users;

namespace TinyLlm.Grains.Tests.Users;

public sealed class UserGrainTests : IAsyncLifetime
{
    private GrainCluster _cluster = null!;

    public async ValueTask InitializeAsync() => _cluster = await GrainCluster.StartAsync();

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task Create_NewUser_FirstTokenMayEverythingButOperate()
    {
        TestUser alice = await _cluster.CreateUserAsync("Alice");

        TokenVerdict? verdict = await alice.Grain.Authenticate(alice.Token.Text);

        Assert.NotNull(verdict);
        Assert.Equal((alice.Id, "Alice", alice.Token.Id), (verdict.User, verdict.UserName, verdict.TokenId));
        Assert.Equal(TokenScopes.Read | TokenScopes.Infer | TokenScopes.Write | TokenScopes.Train, verdict.Scopes);
        Assert.False(verdict.Scopes.HasFlag(TokenScopes.Admin));
        UserFacts? facts = await alice.Grain.Describe();
        Assert.Equal((alice.Id, "Alice", 0, 0L), (facts!.User, facts.Name, facts.Models, facts.StoredBytes));
    }
}
