using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;
using Orleans.Storage;
using Orleans.TestingHost;

namespace TinyLlm.Storage.Tests;

/// <summary>The registration, in a silo that runs.</summary>
public sealed class GrainStorageHostingTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task State_SurvivesARestartAndAClear()
    {
        await WithClusterAsync(async (cluster, data) =>
        {
            INoteGrain grain = cluster.Client.GetGrain<INoteGrain>("alice");
            Assert.False(await grain.ExistsAsync());
            await grain.WriteAsync("kept");
            Assert.True(await grain.ExistsAsync());
            Assert.NotNull(await data.GrainState.GetAsync("note-test.note/alice.json", Cancel));
        });
        await WithClusterAsync(async (cluster, data) =>
        {
            INoteGrain grain = cluster.Client.GetGrain<INoteGrain>("alice");
            Assert.Equal("kept", await grain.ReadAsync());
            await grain.ClearAsync();
            Assert.Null(await grain.ReadAsync());
            Assert.Null(await data.GrainState.GetAsync("note-test.note/alice.json", Cancel));
            await grain.WriteAsync("again");
        });
        await WithClusterAsync(async (cluster, _) => Assert.Equal("again", await cluster.Client.GetGrain<INoteGrain>("alice").ReadAsync()));
    }

    [Fact]
    public async Task Write_StateChangedBehindTheGrain_FailsThenGoesOnFromTheStoredState() => await WithClusterAsync(async (cluster, data) =>
    {
        INoteGrain grain = cluster.Client.GetGrain<INoteGrain>("bob");
        await grain.WriteAsync("first");
        await data.GrainState.PutAsync("note-test.note/bob.json", """{"Text":"from elsewhere"}"""u8.ToArray(), PutCondition.Always, Cancel);

        await Assert.ThrowsAsync<InconsistentStateException>(() => grain.WriteAsync("second"));

        // Orleans ends the activation that wrote; the next call meets a fresh one.
        Assert.Equal("from elsewhere", await grain.ReadAsync());
        await grain.WriteAsync("third");
        Assert.Equal("third", await grain.ReadAsync());
    });

    [Fact]
    public async Task Failure_OfTheService_PassesThroughAGrainCall() => await WithClusterAsync(async (cluster, _) =>
    {
        Serializer serializer = cluster.Silos[0].ServiceProvider.GetRequiredService<Serializer>();

        Exception? read = serializer.Deserialize<Exception>(serializer.SerializeToArray<Exception>(new Azure.RequestFailedException(503, "server busy")));

        Assert.NotNull(read);
        Assert.Contains("server busy", read.Message, StringComparison.Ordinal);
    });

    private async Task WithClusterAsync(Func<InProcessTestCluster, DataFolder, Task> use)
    {
        using DataFolder data = DataFolder.Open(folder["data"], TimeProvider.System);
        InProcessTestClusterBuilder builder = new(1);
        builder.ConfigureSilo((_, silo) =>
        {
            silo.Services.AddTinyLlmStorage(data);
            silo.AddTinyLlmGrainStorage();
        });
        await using InProcessTestCluster cluster = builder.Build();
        await cluster.DeployAsync();
        await use(cluster, data);
        await cluster.StopAllSilosAsync();
    }
}
