using System.Security.Cryptography;

namespace TinyLlm.Storage.Tests;

/// <content>Appending.</content>
public abstract partial class ObjectStoreConformance
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(Block - 1)]
    [InlineData(Block)]
    [InlineData(Block + 1)]
    [InlineData((2 * Block) + 17)]
    public async Task Append_AnyLength_KeepsEveryByte(long length)
    {
        AppendResult result = await Store.AppendAsync("x", 0, new BodyStream(length), Plenty, Cancel);

        Assert.Equal(length, result.Length);
        await AssertPatternAsync("x", length);
        Assert.Equal(result.ETag, Assert.Single(await ListAsync("")).ETag);
    }

    [Fact]
    public async Task Append_Again_GoesOnWhereItEnded()
    {
        await Store.AppendAsync("x", 0, new BodyStream(1_000), Plenty, Cancel);
        AppendResult second = await Store.AppendAsync("x", 1_000, new BodyStream(500, patternOffset: 1_000), Plenty, Cancel);

        Assert.Equal(1_500, second.Length);
        await AssertPatternAsync("x", 1_500);
    }

    [Fact]
    public async Task Append_ToAnObjectThatWasPut_KeepsItsBytes()
    {
        await Store.PutAsync("x", BodyStream.Bytes(0, 1_000), PutCondition.Always, Cancel);
        AppendResult result = await Store.AppendAsync("x", 1_000, new BodyStream(500, patternOffset: 1_000), Plenty, Cancel);
        AppendResult same = await Store.AppendAsync("x", 1_500, new BodyStream(0), Plenty, Cancel);

        Assert.Equal(1_500, result.Length);
        Assert.Equal(1_500, same.Length);
        await AssertPatternAsync("x", 1_500);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Append_OfNothing_GivesAnotherETagAndEndsWhoSawTheOneBefore(bool wasPut)
    {
        if (wasPut) await Store.PutAsync("x", BodyStream.Bytes(0, 1_000), PutCondition.Always, Cancel);
        else await Store.AppendAsync("x", 0, new BodyStream(1_000), Plenty, Cancel);
        ObjectInfo before = (await Store.StatAsync("x", Cancel))!;

        AppendResult fenced = await Store.AppendToAsync("x", before, Stream.Null, Cancel);

        Assert.NotEqual(before.ETag, fenced.ETag);
        Assert.Equal(fenced.ETag, (await Store.StatAsync("x", Cancel))!.ETag);
        Assert.Equal(StoreError.OffsetMismatch, (await Assert.ThrowsAsync<StoreException>(() => Store.AppendToAsync("x", before, new BodyStream(1), Cancel))).Error);
        Assert.Equal(StoreError.ConditionFailed, (await Assert.ThrowsAsync<StoreException>(() => Store.DeleteAsync("x", PutCondition.IfMatch(before.ETag), Cancel))).Error);
        await AssertPatternAsync("x", 1_000);
    }

    [Theory]
    [InlineData(999)]
    [InlineData(1_001)]
    [InlineData(0)]
    [InlineData(long.MaxValue)]
    public async Task Append_AtAnotherOffset_SaysWhereTheObjectEnds(long offset)
    {
        await Store.AppendAsync("x", 0, new BodyStream(1_000), Plenty, Cancel);
        BodyStream body = new(10);

        StoreException error = await Assert.ThrowsAsync<StoreException>(() => Store.AppendAsync("x", offset, body, Plenty, Cancel));

        Assert.Equal(StoreError.OffsetMismatch, error.Error);
        Assert.Equal(1_000, error.DurableLength);
        Assert.Equal(0, body.Sent);
        await AssertPatternAsync("x", 1_000);
    }

    [Fact]
    public async Task Append_ToNothingAtAnOffset_IsAMismatch()
    {
        StoreException error = await Assert.ThrowsAsync<StoreException>(() => Store.AppendAsync("x", 5, new BodyStream(10), Plenty, Cancel));

        Assert.Equal(StoreError.OffsetMismatch, error.Error);
        Assert.Equal(0, error.DurableLength);
        Assert.Null(await Store.LengthAsync("x", Cancel));
    }

    [Fact]
    public async Task Append_BodyBreaksOff_KeepsTheBlocksBefore()
    {
        BodyStream body = new(Block + 1_000, _ => throw new IOException("the client went away"));

        IOException error = await Assert.ThrowsAsync<IOException>(() => Store.AppendAsync("x", 0, body, Plenty, Cancel));

        Assert.Equal("the client went away", error.Message);
        await AssertPatternAsync("x", Block);
        AppendResult rest = await Store.AppendAsync("x", Block, new BodyStream(1_000, patternOffset: Block), Plenty, Cancel);
        await AssertPatternAsync("x", rest.Length);
    }

    [Fact]
    public async Task Append_Cancelled_KeepsTheBlocksBefore()
    {
        using CancellationTokenSource source = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        BodyStream body = new(Block + 1_000, async cancel =>
        {
            await source.CancelAsync();
            cancel.ThrowIfCancellationRequested();
        });

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Store.AppendAsync("x", 0, body, Plenty, source.Token));

        await AssertPatternAsync("x", Block);
    }

    [Theory]
    [InlineData(0, 1_000, 999)]
    [InlineData(0, Block + 1_000, Block)]
    [InlineData(500, 1_000, 1_499)]
    public async Task Append_BeyondTheLimit_WritesNothingOverIt(long offset, long length, long maxBytes)
    {
        if (offset > 0) await Store.AppendAsync("x", 0, new BodyStream(offset), Plenty, Cancel);

        StoreException error = await Assert.ThrowsAsync<StoreException>(
            () => Store.AppendAsync("x", offset, new BodyStream(length, patternOffset: offset), maxBytes, Cancel));

        Assert.Equal(StoreError.TooLarge, error.Error);
        Assert.InRange(await Store.LengthAsync("x", Cancel) ?? 0, offset, maxBytes);
    }

    [Fact]
    public async Task Append_UpToTheLimit_Succeeds()
    {
        AppendResult result = await Store.AppendAsync("x", 0, new BodyStream(1_000), 1_000, Cancel);

        Assert.Equal(1_000, result.Length);
    }

    [Theory]
    [InlineData(0, 1_000)]
    [InlineData(0, (2 * Block) + 5)]
    [InlineData(700, 0)]
    [InlineData(700, Block + 5)]
    public async Task Append_WithItsDigest_KeepsEveryByte(long offset, long length)
    {
        if (offset > 0) await Store.AppendAsync("x", 0, new BodyStream(offset), Plenty, Cancel);
        ContentDigest digest = new(SHA256.HashData(BodyStream.Bytes(offset, length)));

        AppendResult result = await Store.AppendAsync("x", offset, new BodyStream(length, patternOffset: offset), Plenty, digest, Cancel);

        Assert.Equal(offset + length, result.Length);
        await AssertPatternAsync("x", offset + length);
        Assert.Equal(result.ETag, Assert.Single(await ListAsync("")).ETag);
    }

    [Theory]
    [InlineData(0, 1_000)]
    [InlineData(0, Block + 5)]
    [InlineData(700, Block + 5)]
    public async Task Append_WithAnotherDigest_LeavesTheObjectAsItWas(long offset, long length)
    {
        if (offset > 0) await Store.AppendAsync("x", 0, new BodyStream(offset), Plenty, Cancel);
        ContentDigest digest = new(SHA256.HashData("something else"u8));

        StoreException error = await Assert.ThrowsAsync<StoreException>(
            () => Store.AppendAsync("x", offset, new BodyStream(length, patternOffset: offset), Plenty, digest, Cancel));

        Assert.Equal(StoreError.DigestMismatch, error.Error);
        if (offset > 0) await AssertPatternAsync("x", offset);
        else Assert.Null(await Store.LengthAsync("x", Cancel));
    }

    [Fact]
    public async Task Append_WithDigestAndBodyBreaksOff_LeavesTheObjectAsItWas()
    {
        await Store.AppendAsync("x", 0, new BodyStream(700), Plenty, Cancel);
        BodyStream body = new(Block + 1_000, _ => throw new IOException("the client went away"), 700);

        await Assert.ThrowsAsync<IOException>(() => Store.AppendAsync("x", 700, body, Plenty, new ContentDigest(new byte[32]), Cancel));

        await AssertPatternAsync("x", 700);
    }

    [Fact]
    public async Task Append_WithDigestBeyondTheLimit_LeavesTheObjectAsItWas()
    {
        StoreException error = await Assert.ThrowsAsync<StoreException>(
            () => Store.AppendAsync("x", 0, new BodyStream(Block + 5), Block, new ContentDigest(new byte[32]), Cancel));

        Assert.Equal(StoreError.TooLarge, error.Error);
        Assert.Null(await Store.LengthAsync("x", Cancel));
    }

    /// <summary>A client that lost its connection comes back while the host still waits for the first body: the new one goes on, the old one ends.</summary>
    [Fact]
    public async Task Append_SecondMeanwhile_GoesOnAndTheFirstEnds()
    {
        TaskCompletionSource stalled = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource resume = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<AppendResult> first = Store.AppendAsync("x", 0, new BodyStream(Block + 1_000, async cancel =>
        {
            stalled.TrySetResult();
            await resume.Task.WaitAsync(cancel);
        }), Plenty, Cancel);
        await stalled.Task.WaitAsync(Cancel);
        Assert.Equal(Block, await Store.LengthAsync("x", Cancel));

        AppendResult second = await (await OpenAgainAsync()).AppendAsync("x", Block, new BodyStream(2_000, patternOffset: Block), Plenty, Cancel);
        resume.SetResult();
        StoreException error = await Assert.ThrowsAsync<StoreException>(() => first);

        Assert.Equal(StoreError.OffsetMismatch, error.Error);
        Assert.Equal(Block + 2_000, second.Length);
        await AssertPatternAsync("x", Block + 2_000);
    }

    /// <summary>Files alone once compared lengths, and a block of the first went behind the bytes of the second.</summary>
    [Theory]
    [InlineData(Block)] // between two blocks
    [InlineData(0)] // before the first, on top of what is there
    public async Task Append_ReplacedMeanwhileByAsManyBytes_EndsAndMixesNothingIn(int sent)
    {
        const int Before = 500;
        await Store.AppendAsync("x", 0, new BodyStream(Before), Plenty, Cancel);
        TaskCompletionSource stalled = new(TaskCreationOptions.RunContinuationsAsynchronously), resume = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<AppendResult> first = Store.AppendAsync("x", Before, new BodyStream(sent + 1_000, async cancel =>
        {
            stalled.TrySetResult();
            await resume.Task.WaitAsync(cancel);
        }), Plenty, Cancel);
        await stalled.Task.WaitAsync(Cancel);

        ObjectStore other = await OpenAgainAsync();
        await other.DeleteAsync("x", PutCondition.Always, Cancel);
        await other.AppendAsync("x", 0, new BodyStream(Before + sent, patternOffset: 7), Plenty, Cancel);
        resume.SetResult();

        Assert.Equal(StoreError.OffsetMismatch, (await Assert.ThrowsAsync<StoreException>(() => first)).Error);
        StoredObject stored = (await Store.GetAsync("x", Cancel))!;
        Assert.True(BodyStream.Bytes(7, Before + sent).AsSpan().SequenceEqual(stored.Bytes.Span));
    }

    [Fact]
    public async Task Append_ManyAtOnce_ExactlyOneWins()
    {
        ObjectStore[] stores = [Store, await OpenAgainAsync()];

        bool[] won = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => Task.Run(() => TryAppendAsync(stores[i % 2], 100 + i), Cancel)));

        int winner = Assert.Single(Enumerable.Range(0, 16), i => won[i]);
        await AssertPatternAsync("x", 100 + winner);
    }

    private static async Task<bool> TryAppendAsync(ObjectStore store, int length)
    {
        try
        {
            await store.AppendAsync("x", 0, new BodyStream(length), Plenty, Cancel);
            return true;
        }
        catch (StoreException error) when (error.Error == StoreError.OffsetMismatch)
        {
            return false;
        }
    }
}
