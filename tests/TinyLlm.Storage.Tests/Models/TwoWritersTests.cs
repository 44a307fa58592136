using System.Security.Cryptography;
using Azure.Storage.Blobs;
using TinyLlm.Tests;

namespace TinyLlm.Storage.Tests;

/// <summary>
/// Two processes that write the same file of an upload, because the first was taken for dead and only stood still: its right to write was given to the
/// second, and it finds out late. Each has a view of the account of its own.
/// </summary>
public sealed class TwoWritersTests(Azurite azurite)
{
    private const int Length = ObjectStore.AppendBlockBytes + (3 * EncryptedLayout.ChunkBytes) + 7;

    private readonly UserId _owner = UserId.New();
    private readonly VersionId _version = VersionId.New();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static ModelFileName Weights => ModelFileName.Parse("model.safetensors");

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Append_AnotherBeganTheFileAnewMeanwhile_IsRefusedAndMixesNothingIn(bool encrypted)
    {
        BlobContainerClient container = await azurite.NewContainerAsync(Cancel);
        ModelFiles first = new(await AzureBlobObjectStore.OpenAsync(container, Cancel)), second = new(await AzureBlobObjectStore.OpenAsync(container, Cancel));
        VersionKey? key = encrypted ? new VersionKey(_owner, "stories", _version, RandomNumberGenerator.GetBytes(32)) : null;
        TaskCompletionSource standsStill = new(TaskCreationOptions.RunContinuationsAsynchronously), goesOn = new(TaskCreationOptions.RunContinuationsAsynchronously);

        // 1. The first has written a block, and stands still before the next.
        BodyStream old = new(Length, async cancellationToken =>
        {
            standsStill.TrySetResult();
            await goesOn.Task.WaitAsync(cancellationToken);
        });
        Task<long> writing = first.AppendAsync(_owner, _version, Weights, 0, old, Length, null, key, Cancel);
        await Task.WhenAny(standsStill.Task, writing);

        // 2. The second sends another file of the same length, whole, and is told that it is there.
        await second.DiscardAsync(_owner, _version, Weights, null, Cancel);
        Assert.Equal(Length, await second.AppendAsync(_owner, _version, Weights, 0, new BodyStream(Length, patternOffset: 1000), Length, null, key, Cancel));

        // 3. The first goes on.
        goesOn.SetResult();
        StoreException refusal = await Assert.ThrowsAsync<StoreException>(() => writing);
        Assert.Equal((StoreError.OffsetMismatch, (long?)Length), (refusal.Error, refusal.DurableLength));

        await second.SealAsync(_owner, _version, key, Cancel);
        Assert.Equal(BodyStream.Bytes(1000, Length), await second.ReadAllAsync(_owner, _version, Weights, key));
    }
}
