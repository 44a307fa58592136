using System.Security.Cryptography;

namespace TinyLlm.Storage.Tests;

public sealed class FileEncryptedUploadTests : EncryptedUploadConformance
{
    private readonly TemporaryFolder folder = new();

    /// <summary>A process that is killed may leave any part of a block behind.</summary>
    [Fact]
    public async Task Append_AfterABlockThatWasTorn_GoesOnFromTheLastWholeChunk()
    {
        const int Length = 3 * EncryptedLayout.ChunkBytes;
        Random random = new(11);
        (UserId owner, ModelFileName file) = (UserId.New(), ModelFileName.Parse("model.safetensors"));
        ModelFiles files = new(Store);
        for (int i = 0; i < 60; i++)
        {
            VersionId version = VersionId.New();
            VersionKey key = new(owner, "stories", version, RandomNumberGenerator.GetBytes(32));
            await files.AppendAsync(owner, version, file, 0, new BodyStream(Length), Length, null, key, Cancel);
            string path = Store.TryGetLocalPath(ModelFiles.ObjectNameOf(owner, version, file) + ".sealed")!;
            long torn = i < 4 ? i * 20 : random.NextInt64(new FileInfo(path).Length + 1);
            using (FileStream stored = new(path, FileMode.Open)) stored.SetLength(torn);

            long durable = (await files.LengthAsync(owner, version, file, Cancel))!.Value;
            Assert.Equal(Math.Max(0, torn - EncryptedLayout.HeaderBytes) / EncryptedLayout.EncryptedChunkBytes * EncryptedLayout.ChunkBytes, durable);
            await files.AppendAsync(owner, version, file, durable, new BodyStream(Length + 5 - durable, patternOffset: durable), Length + 5, null, key, Cancel);
            await files.SealAsync(owner, version, key, Cancel);

            Assert.Equal(BodyStream.Bytes(0, Length + 5), await files.ReadAllAsync(owner, version, file, key));
        }
    }

    protected override Task<ObjectStore> OpenAsync() => Task.FromResult<ObjectStore>(new FileObjectStore(folder["store"]));

    protected override Task CloseAsync()
    {
        folder.Dispose();
        return Task.CompletedTask;
    }
}
