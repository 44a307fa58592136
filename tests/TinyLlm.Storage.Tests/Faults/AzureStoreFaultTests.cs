using Azure;
using Azure.Storage.Blobs;
using TinyLlm.Tests;

namespace TinyLlm.Storage.Tests.Faults;

public sealed class AzureStoreFaultTests(Azurite azurite) : StoreFaults
{
    private BlobContainerClient? container;

    protected override async Task<ObjectStore> OpenAsync() =>
        await AzureBlobObjectStore.OpenAsync(container ??= await azurite.NewContainerAsync(Cancel), Cancel);

    protected override async Task CloseAsync()
    {
        if (container is not null) await container.DeleteIfExistsAsync(cancellationToken: CancellationToken.None);
    }

    protected override Exception Transient() => new RequestFailedException(503, "The server is busy.");
}
