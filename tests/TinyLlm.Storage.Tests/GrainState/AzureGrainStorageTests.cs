using TinyLlm.Tests;
using Azure.Storage.Blobs;

namespace TinyLlm.Storage.Tests;

public sealed class AzureGrainStorageTests(Azurite azurite) : GrainStorageConformance
{
    private BlobContainerClient? container;

    protected override async Task<ObjectStore> OpenAsync()
    {
        container = await azurite.NewContainerAsync(Cancel);
        return await AzureBlobObjectStore.OpenAsync(container, Cancel);
    }

    protected override async Task CloseAsync()
    {
        if (container is not null) await container.DeleteIfExistsAsync(cancellationToken: CancellationToken.None);
    }
}
