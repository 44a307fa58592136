namespace TinyLlm.Storage.Tests.Faults;

public sealed class FileStoreFaultTests : StoreFaults
{
    private const int InputOutputError = 5;

    private readonly TemporaryFolder folder = new();

    protected override Task<ObjectStore> OpenAsync() => Task.FromResult<ObjectStore>(new FileObjectStore(folder["store"]));

    protected override Task CloseAsync()
    {
        folder.Dispose();
        return Task.CompletedTask;
    }

    protected override Exception Transient() => new IOException("Input/output error", InputOutputError);
}
