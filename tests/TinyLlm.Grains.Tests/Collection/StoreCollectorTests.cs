using Microsoft.Extensions.Options;
using TinyLlm.Grains.Collection;
using TinyLlm.Grains.Models;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Tests.Collection;

/// <summary>Abandoned bytes go, and nothing else does.</summary>
public sealed class StoreCollectorTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Collect_AbandonedOpenAndPublished_RemovesTheAbandonedOnly()
    {
        await using GrainCluster cluster = await GrainCluster.StartAsync();
        TestUser user = await cluster.CreateUserAsync("owner");
        PublishedVersion published = await user.PublishAsync("tiny");
        UploadTicket open = await user.UploadAsync("tiny");
        VersionId orphan = VersionId.New();
        await WriteAsync(cluster, user.Id, orphan);
        UserId nobody = UserId.New();
        VersionId nobodys = VersionId.New();
        await WriteAsync(cluster, nobody, nobodys);

        CollectedBytes collected = await Collector(cluster, TimeSpan.FromSeconds(1), DateTimeOffset.UtcNow.AddMinutes(1)).CollectAsync(Cancel);

        Assert.Equal((2, 20), (collected.Versions, collected.Bytes));
        Assert.False(await IsThereAsync(cluster, user.Id, orphan));
        Assert.False(await IsThereAsync(cluster, nobody, nobodys));
        Assert.True(await IsThereAsync(cluster, user.Id, published.Version));
        Assert.True(await IsThereAsync(cluster, user.Id, open.Version));
        Assert.Equal(2, (await user.CommitAsync("tiny", open.UploadId)).Number);
        Assert.Equal(0, (await Collector(cluster, TimeSpan.FromSeconds(1), DateTimeOffset.UtcNow.AddMinutes(1)).CollectAsync(Cancel)).Versions);
    }

    [Fact]
    public async Task Collect_WithinTheGraceTime_LeavesWhatNobodyNames()
    {
        await using GrainCluster cluster = await GrainCluster.StartAsync();
        UserId nobody = UserId.New();
        VersionId young = VersionId.New();
        await WriteAsync(cluster, nobody, young);

        CollectedBytes collected = await Collector(cluster, TimeSpan.FromHours(1), DateTimeOffset.UtcNow.AddMinutes(59)).CollectAsync(Cancel);
        Assert.Equal(0, collected.Versions);
        Assert.True(await IsThereAsync(cluster, nobody, young));

        collected = await Collector(cluster, TimeSpan.FromHours(1), DateTimeOffset.UtcNow.AddMinutes(61)).CollectAsync(Cancel);
        Assert.Equal(1, collected.Versions);
    }

    /// <summary>Two silos that look at the same time do each other no harm.</summary>
    [Fact]
    public async Task Collect_TwiceAtOnceUnderUploads_LosesNoUpload()
    {
        await using GrainCluster cluster = await GrainCluster.StartAsync(new TestSilo(), new TestSilo());
        TestUser user = await cluster.CreateUserAsync("owner");
        for (int i = 0; i < 10; i++) await WriteAsync(cluster, user.Id, VersionId.New());
        StoreCollector[] collectors = [.. Enumerable.Range(0, 2).Select(_ => Collector(cluster, TimeSpan.FromSeconds(1), DateTimeOffset.UtcNow.AddMinutes(5)))];

        Task<PublishedVersion>[] uploads = [.. Enumerable.Range(0, 4).Select(i => user.PublishAsync($"tiny-{i}"))];
        await Task.WhenAll(collectors.Select(collector => collector.CollectAsync(Cancel)));
        PublishedVersion[] published = await Task.WhenAll(uploads);

        Assert.Equal(4, published.Length);
        foreach (PublishedVersion version in published) Assert.True(await IsThereAsync(cluster, user.Id, version.Version));
        List<StoredFile> left = await cluster.Files.ListAllAsync(Cancel).ToListAsync(Cancel);
        Assert.Equal(4, left.Select(file => file.Version).Distinct().Count());
    }

    /// <summary>A collector whose clock stands at <paramref name="now"/>; the bytes were written now.</summary>
    private static StoreCollector Collector(GrainCluster cluster, TimeSpan grace, DateTimeOffset now)
    {
        TestClock clock = new();
        clock.Advance(now - clock.GetUtcNow());
        return new StoreCollector(
            cluster.Files, cluster.Objects, cluster.GrainState, cluster.GrainState, cluster.Client, Options.Create(new CollectionOptions { Grace = grace }), clock);
    }

    private static async Task WriteAsync(GrainCluster cluster, UserId owner, VersionId version) => await cluster.Files.AppendAsync(
        owner, version, ModelFileName.Parse("README.md"), 0, new MemoryStream(new byte[10]), 100, null, null, Cancel);

    private static async Task<bool> IsThereAsync(GrainCluster cluster, UserId owner, VersionId version) =>
        await cluster.Files.ListAsync(owner, version, Cancel).AnyAsync(Cancel);
}
