using Azure.Storage.Blobs;

[assembly: AssemblyFixture(typeof(TinyLlm.Tests.Azurite))]

namespace TinyLlm.Tests;

/// <summary>One Azurite for all tests of a project, started by the first that needs it. Every test gets a container of its own.</summary>
public sealed class Azurite : IAsyncDisposable
{
    private readonly SemaphoreSlim starting = new(1, 1);
    private AzuriteProcess? process;

    /// <summary>A fresh container; skips the calling test where Azurite isn't installed.</summary>
    public async Task<BlobContainerClient> NewContainerAsync(CancellationToken cancellationToken) =>
        new(await ConnectAsync(cancellationToken), $"test-{Guid.NewGuid():N}");

    /// <summary>The account's connection string; skips the calling test where Azurite isn't installed.</summary>
    public async Task<string> ConnectAsync(CancellationToken cancellationToken)
    {
        Assert.SkipUnless(AzuriteProcess.IsInstalled, "Azurite is not installed: run 'npm ci' in tests/npm");
        await starting.WaitAsync(cancellationToken);
        try
        {
            process ??= await AzuriteProcess.StartAsync(cancellationToken);
            return process.ConnectionString;
        }
        finally
        {
            starting.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (process is not null) await process.DisposeAsync();
        starting.Dispose();
    }
}
