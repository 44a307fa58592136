namespace TinyLlm.Storage.Tests.Faults;

public sealed class FileStoreFaultTests : StoreFaults
{
    private const int InputOutputError = 5;

    private readonly TemporaryFolder folder = new();

    [Fact]
    public async Task CollectTemporary_FailsAgainAndAgain_RemovesAndCountsEachOnce()
    {
        FileObjectStore store = new(folder["store"]);
        for (int i = 0; i < 3; i++) await File.WriteAllBytesAsync(Path.Combine(folder["store"], ".tmp", $"left-{i}"), [1], Cancel);
        int count = 0;
        new FaultStrategy(Transient, _ => count++ < 3 ? Fault.After : Fault.None).Into(store);

        Assert.Equal(3, await store.CollectTemporaryAsync(TimeSpan.FromDays(-1), Cancel));

        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(folder["store"], ".tmp")));
    }

    protected override Task<ObjectStore> OpenAsync() => Task.FromResult<ObjectStore>(new FileObjectStore(folder["store"]));

    protected override Task CloseAsync()
    {
        folder.Dispose();
        return Task.CompletedTask;
    }

    protected override Exception Transient() => new IOException("Input/output error", InputOutputError);
}
