using Azure.Storage.Blobs;
using TinyLlm.Tests;

namespace TinyLlm.Storage.Tests;

public sealed class AzureEncryptedUploadTests(Azurite azurite) : EncryptedUploadConformance
{
    private BlobContainerClient? container;

    protected override async Task<ObjectStore> OpenAsync() =>
        await AzureBlobObjectStore.OpenAsync(container = await azurite.NewContainerAsync(Cancel), Cancel);

    protected override async Task CloseAsync()
    {
        if (container is not null) await container.DeleteIfExistsAsync(cancellationToken: CancellationToken.None);
    }
}
