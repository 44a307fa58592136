using TinyLlm.Grains.Users;

namespace TinyLlm.Grains.Tests.Users;

public sealed class UserCatalogTests
{
    /// <summary>A name without a user made a page short, and a short page ends the listing.</summary>
    [Fact]
    public async Task List_NamesWithoutUsers_FillsEveryPage()
    {
        CancellationToken cancel = TestContext.Current.CancellationToken;
        await using GrainCluster cluster = await GrainCluster.StartAsync(new TestSilo { Device = null });
        foreach (string name in (string[])["Dora", "bob", "Alice", "c.d"]) await cluster.CreateUserAsync(name);
        await cluster.Client.GetGrain<IUserNameGrain>("anna").Claim("Anna");
        await cluster.Client.GetGrain<IUserNameGrain>("ben").Claim("ben");
        UserCatalog catalog = new(cluster.GrainState, cluster.Client);

        Assert.Equal(["Alice", "bob"], Names(await catalog.ListAsync("", 2, cancel)));
        Assert.Equal(["c.d", "Dora"], Names(await catalog.ListAsync("bob", 2, cancel)));
        Assert.Empty(await catalog.ListAsync("dora", 2, cancel));
        Assert.Equal(["Alice", "bob", "c.d", "Dora"], Names(await catalog.ListAsync("", 100, cancel)));

        static IEnumerable<string> Names(IEnumerable<UserFacts> users) => users.Select(user => user.Name);
    }
}
