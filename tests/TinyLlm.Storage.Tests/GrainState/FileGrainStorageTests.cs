namespace TinyLlm.Storage.Tests;

public sealed class FileGrainStorageTests : GrainStorageConformance
{
    private readonly TemporaryFolder folder = new();

    protected override Task<ObjectStore> OpenAsync() => Task.FromResult<ObjectStore>(new FileObjectStore(folder["store"]));

    protected override Task CloseAsync()
    {
        folder.Dispose();
        return Task.CompletedTask;
    }
}
