using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Specialized;
using TinyLlm.Tests;

namespace TinyLlm.Storage.Tests;

public sealed class AzureBlobObjectStoreTests(Azurite azurite) : ObjectStoreConformance
{
    private BlobContainerClient? container;

    [Fact]
    public async Task Append_Blocks_AreBlocksOfABlockBlob()
    {
        await Store.AppendAsync("x", 0, new BodyStream((2 * ObjectStore.AppendBlockBytes) + 5), long.MaxValue, Cancel);

        Azure.Storage.Blobs.Models.BlockList blocks = await container!.GetBlockBlobClient("x").GetBlockListAsync(cancellationToken: Cancel);

        Assert.Equal([ObjectStore.AppendBlockBytes, ObjectStore.AppendBlockBytes, 5], blocks.CommittedBlocks.Select(block => block.SizeLong));
        Assert.Empty(blocks.UncommittedBlocks);
    }

    [Fact]
    public async Task CollectTemporary_IsTheServicesWork() => Assert.Equal(0, await Store.CollectTemporaryAsync(TimeSpan.Zero, Cancel));

    protected override async Task<ObjectStore> OpenAsync()
    {
        container = await azurite.NewContainerAsync(Cancel);
        return await OpenAgainAsync();
    }

    protected override async Task<ObjectStore> OpenAgainAsync() =>
        await AzureBlobObjectStore.OpenAsync(container ?? throw new InvalidOperationException("the store is not open yet"), Cancel);

    protected override async Task CloseAsync()
    {
        if (container is not null) await container.DeleteIfExistsAsync(cancellationToken: CancellationToken.None);
    }
}
