using TinyLlm.Grains.Access;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Models;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Tests.Users;

/// <summary>Which version a bare name means, and which versions stay.</summary>
public sealed class VersionTests
{
    [Fact]
    public async Task SetCurrent_ToAnOlderVersion_HoldsUntilTheNextPublication()
    {
        await using GrainCluster cluster = await GrainCluster.StartAsync();
        TestUser user = await cluster.CreateUserAsync("roller");
        PublishedVersion first = await user.PublishAsync("tiny");
        PublishedVersion second = await user.PublishAsync("tiny");
        Assert.Equal((true, true), (first.Current, second.Current));
        Assert.Equal(second.Version, await LeasedAsync(user));

        Assert.Equal(first, await user.Grain.SetCurrent("tiny", 1));

        Assert.Equal(first.Version, await LeasedAsync(user));
        Assert.Equal(first, Assert.Single(await user.Grain.ListModels()));
        Assert.Equal([(2, false), (1, true)], (await user.Grain.ListVersions(user.Id, "tiny")).Select(version => (version.Number, version.Current)));
        Assert.Equal(second.Version, (await user.Grain.Lease(user.Id, "tiny", 2, ModelRight.Infer)).Version.Version);

        PublishedVersion third = await user.PublishAsync("tiny");
        Assert.Equal((3, true), (third.Number, third.Current));
        Assert.Equal(third.Version, await LeasedAsync(user));
    }

    [Fact]
    public async Task SetCurrent_BackToTheNewest_EndsTheRollback()
    {
        await using GrainCluster cluster = await GrainCluster.StartAsync();
        TestUser user = await cluster.CreateUserAsync("roller");
        for (int i = 0; i < 3; i++) await user.PublishAsync("tiny");
        await user.Grain.SetCurrent("tiny", 1);

        Assert.True((await user.Grain.SetCurrent("tiny", 3)).Current);
        await user.Grain.DeleteVersion("tiny", 3);

        Assert.Equal(2, Assert.Single(await user.Grain.ListModels()).Number);
    }

    [Fact]
    public async Task DeleteVersion_TheOneRolledBackTo_LeavesTheNewest()
    {
        await using GrainCluster cluster = await GrainCluster.StartAsync();
        TestUser user = await cluster.CreateUserAsync("roller");
        for (int i = 0; i < 3; i++) await user.PublishAsync("tiny");
        await user.Grain.SetCurrent("tiny", 1);

        await user.Grain.DeleteVersion("tiny", 1);

        Assert.Equal((3, true), (await user.Grain.ListModels()).Select(version => (version.Number, version.Current)).Single());
    }

    [Fact]
    public async Task SetCurrent_AfterARestart_StillHolds()
    {
        using TempFolder folder = new();
        UserId id;
        await using (GrainCluster first = await GrainCluster.StartAsync(folder.FullPath, new TestClock()))
        {
            TestUser user = await first.CreateUserAsync("roller");
            id = user.Id;
            for (int i = 0; i < 2; i++) await user.PublishAsync("tiny");
            await user.Grain.SetCurrent("tiny", 1);
        }
        await using GrainCluster second = await GrainCluster.StartAsync(folder.FullPath, new TestClock());

        Assert.Equal(1, Assert.Single(await second.User(id).ListModels()).Number);
    }

    [Theory]
    [InlineData("tiny", 3)]
    [InlineData("tiny", 0)]
    [InlineData("other", 1)]
    public async Task SetCurrent_NoSuchVersion_IsRefused(string model, int number)
    {
        await using GrainCluster cluster = await GrainCluster.StartAsync();
        TestUser user = await cluster.CreateUserAsync("roller");
        await user.PublishAsync("tiny");

        await Refusal.OfAsync(RequestError.NotFound, () => user.Grain.SetCurrent(model, number));
    }

    [Fact]
    public async Task Publish_WithKeptVersions_DeletesTheOldestAndTheirBytes()
    {
        await using GrainCluster cluster = await GrainCluster.StartAsync(new TestSilo { Limits = limits => limits.KeptVersions = 3 });
        TestUser user = await cluster.CreateUserAsync("keeper");
        List<PublishedVersion> published = [];
        for (int i = 0; i < 4; i++) published.Add(await user.PublishAsync("tiny"));
        Assert.Equal([4, 3, 2], await NumbersAsync(user));

        // A rollback protects nothing but the version that it chose, and only until the next publication.
        await user.Grain.SetKeptVersions("tiny", 2);
        await user.Grain.SetCurrent("tiny", 2);
        Assert.Equal([4, 3, 2], await NumbersAsync(user));
        published.Add(await user.PublishAsync("tiny"));

        Assert.Equal([5, 4], await NumbersAsync(user));
        foreach (PublishedVersion version in published)
            Assert.Equal(version.Number >= 4, await cluster.Files.LengthAsync(user.Id, version.Version, ModelFileName.Parse("config.json"), TestContext.Current.CancellationToken) > 0);
        Assert.Equal(2 * published[0].Facts.StoredBytes, (await user.Grain.Describe())!.StoredBytes);

        // The version is gone for whoever still holds a lease, as if it had never been.
        await Refusal.OfAsync(RequestError.NotFound, () => user.Grain.Lease(user.Id, "tiny", 1, ModelRight.Infer));
    }

    [Fact]
    public async Task Publish_AtTheBoundWithKeptVersions_MakesRoom()
    {
        await using GrainCluster cluster = await GrainCluster.StartAsync(new TestSilo { Limits = limits => limits.MaxVersions = 2 });
        TestUser user = await cluster.CreateUserAsync("keeper");
        for (int i = 0; i < 2; i++) await user.PublishAsync("tiny");
        await Refusal.OfAsync(RequestError.QuotaExceeded, () => user.PublishAsync("tiny"));

        await user.Grain.SetKeptVersions("tiny", 2);
        await user.PublishAsync("tiny");

        Assert.Equal([3, 2], await NumbersAsync(user));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(101)]
    public async Task SetKeptVersions_OutOfItsBound_IsRefused(int count)
    {
        await using GrainCluster cluster = await GrainCluster.StartAsync();
        TestUser user = await cluster.CreateUserAsync("keeper");
        await user.PublishAsync("tiny");

        Assert.Contains("between 1 and 100", (await Refusal.OfAsync(RequestError.Malformed, () => user.Grain.SetKeptVersions("tiny", count))).Message, StringComparison.Ordinal);
    }

    private static async Task<VersionId> LeasedAsync(TestUser user) => (await user.LeaseAsync("tiny")).Version.Version;

    private static async Task<List<int>> NumbersAsync(TestUser user) => [.. (await user.Grain.ListVersions(user.Id, "tiny")).Select(version => version.Number)];
}
