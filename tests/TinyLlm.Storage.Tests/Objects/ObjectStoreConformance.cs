using System.Security.Cryptography;

namespace TinyLlm.Storage.Tests;

/// <summary>What every object store does, whatever is behind it: each backing runs this whole suite.</summary>
public abstract class ObjectStoreConformance : IAsyncLifetime
{
    private const int Block = ObjectStore.AppendBlockBytes;
    private const long Plenty = 1L << 40;

    private ObjectStore? opened;

    protected ObjectStore Store => opened ?? throw new InvalidOperationException("the store is not open yet");

    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => opened = await OpenAsync();

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await CloseAsync();
    }

    protected abstract Task<ObjectStore> OpenAsync();

    protected abstract Task CloseAsync();

    /// <summary>Another writer's view of the same objects.</summary>
    protected abstract Task<ObjectStore> OpenAgainAsync();

    [Fact]
    public async Task Put_ThenGet_GivesTheBytesAndTheETag()
    {
        byte[] bytes = BodyStream.Bytes(0, 1_000);

        string eTag = await Store.PutAsync("a/b/c.json", bytes, PutCondition.Always, Cancel);
        StoredObject? stored = await Store.GetAsync("a/b/c.json", Cancel);

        Assert.NotNull(stored);
        Assert.Equal(bytes, stored.Bytes.ToArray());
        Assert.Equal(eTag, stored.ETag);
        Assert.Equal(1_000, await Store.LengthAsync("a/b/c.json", Cancel));
    }

    [Fact]
    public async Task Put_Empty_IsAnObject()
    {
        await Store.PutAsync("empty", ReadOnlyMemory<byte>.Empty, PutCondition.IfAbsent, Cancel);

        StoredObject? stored = await Store.GetAsync("empty", Cancel);

        Assert.NotNull(stored);
        Assert.True(stored.Bytes.IsEmpty);
    }

    [Fact]
    public async Task Absent_AnswersNothing()
    {
        Assert.Null(await Store.GetAsync("no/such", Cancel));
        Assert.Null(await Store.LengthAsync("no/such", Cancel));
        Assert.Null(Store.TryGetLocalPath("no/such"));
        Assert.False(await Store.DeleteAsync("no/such", PutCondition.Always, Cancel));
        StoreException error = await Assert.ThrowsAsync<StoreException>(() => Store.OpenReadAsync("no/such", Cancel));
        Assert.Equal(StoreError.NotFound, error.Error);
    }

    [Fact]
    public async Task Put_IfAbsent_FailsOverAnObjectAndTellsItsETag()
    {
        string first = await Store.PutAsync("x", new byte[] { 1 }, PutCondition.IfAbsent, Cancel);

        StoreException error = await Assert.ThrowsAsync<StoreException>(() => Store.PutAsync("x", new byte[] { 2 }, PutCondition.IfAbsent, Cancel));

        Assert.Equal(StoreError.ConditionFailed, error.Error);
        Assert.Equal(first, error.StoredETag);
        Assert.Equal([1], (await Store.GetAsync("x", Cancel))!.Bytes.ToArray());
    }

    [Fact]
    public async Task Put_IfMatch_WritesOverThatObjectOnly()
    {
        string first = await Store.PutAsync("x", new byte[] { 1 }, PutCondition.Always, Cancel);
        string second = await Store.PutAsync("x", new byte[] { 2 }, PutCondition.IfMatch(first), Cancel);

        StoreException stale = await Assert.ThrowsAsync<StoreException>(() => Store.PutAsync("x", new byte[] { 3 }, PutCondition.IfMatch(first), Cancel));
        StoreException absent = await Assert.ThrowsAsync<StoreException>(() => Store.PutAsync("y", new byte[] { 3 }, PutCondition.IfMatch(first), Cancel));

        Assert.NotEqual(first, second);
        Assert.Equal(StoreError.ConditionFailed, stale.Error);
        Assert.Equal(second, stale.StoredETag);
        Assert.Equal(StoreError.ConditionFailed, absent.Error);
        Assert.Null(absent.StoredETag);
        Assert.Equal([2], (await Store.GetAsync("x", Cancel))!.Bytes.ToArray());
    }

    [Fact]
    public async Task Put_SameBytesAgain_GetsAnotherETag()
    {
        HashSet<string> eTags = [];
        for (int i = 0; i < 50; i++) eTags.Add(await Store.PutAsync("x", new byte[] { 7 }, PutCondition.Always, Cancel));
        await Store.DeleteAsync("x", PutCondition.Always, Cancel);
        eTags.Add(await Store.PutAsync("x", new byte[] { 7 }, PutCondition.Always, Cancel));

        Assert.Equal(51, eTags.Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Put_HundredAtOnceWithOneCondition_ExactlyOneWins(bool absentFirst)
    {
        ObjectStore[] stores = [Store, await OpenAgainAsync()];
        for (int round = 0; round < 5; round++)
        {
            string name = $"race/{absentFirst}/{round}";
            PutCondition condition = absentFirst
                ? PutCondition.IfAbsent
                : PutCondition.IfMatch(await Store.PutAsync(name, new byte[] { 255 }, PutCondition.Always, Cancel));

            bool[] won = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => Task.Run(() => TryPutAsync(stores[i % 2], name, (byte)i, condition), Cancel)));

            int winner = Assert.Single(Enumerable.Range(0, 100), i => won[i]);
            Assert.Equal([(byte)winner], (await Store.GetAsync(name, Cancel))!.Bytes.ToArray());
        }
    }

    [Fact]
    public async Task Put_ReadersMeanwhile_SeeOldOrNewWhole()
    {
        await Store.PutAsync("x", Uniform(1), PutCondition.Always, Cancel);
        using CancellationTokenSource done = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        Task<int> reader = Task.Run(async () =>
        {
            int reads = 0;
            for (; !done.IsCancellationRequested || reads == 0; reads++)
            {
                StoredObject stored = (await Store.GetAsync("x", Cancel))!;
                byte[] bytes = stored.Bytes.ToArray();
                Assert.Equal(Uniform(bytes[0]), bytes);
            }
            return reads;
        }, Cancel);

        for (byte i = 2; i < 60; i++) await Store.PutAsync("x", Uniform(i), PutCondition.Always, Cancel);
        await done.CancelAsync();

        Assert.True(await reader > 0);

        static byte[] Uniform(byte value) => [.. Enumerable.Repeat(value, 1_000 + (value * 977))];
    }

    [Fact]
    public async Task Put_MoreThanASmallObject_IsTooLarge()
    {
        byte[] bytes = new byte[ObjectStore.MaxSmallObjectBytes + 1];

        StoreException error = await Assert.ThrowsAsync<StoreException>(() => Store.PutAsync("x", bytes, PutCondition.Always, Cancel));

        Assert.Equal(StoreError.TooLarge, error.Error);
    }

    [Fact]
    public async Task Delete_OnCondition_DeletesThatObjectOnly()
    {
        string first = await Store.PutAsync("x", new byte[] { 1 }, PutCondition.Always, Cancel);
        string second = await Store.PutAsync("x", new byte[] { 2 }, PutCondition.Always, Cancel);

        StoreException stale = await Assert.ThrowsAsync<StoreException>(() => Store.DeleteAsync("x", PutCondition.IfMatch(first), Cancel));
        StoreException present = await Assert.ThrowsAsync<StoreException>(() => Store.DeleteAsync("x", PutCondition.IfAbsent, Cancel));

        Assert.Equal(StoreError.ConditionFailed, stale.Error);
        Assert.Equal(StoreError.ConditionFailed, present.Error);
        Assert.True(await Store.DeleteAsync("x", PutCondition.IfMatch(second), Cancel));
        Assert.Null(await Store.GetAsync("x", Cancel));
        Assert.False(await Store.DeleteAsync("x", PutCondition.IfMatch(second), Cancel));
    }

    [Fact]
    public async Task DeletePrefix_TakesWholePartsOnly()
    {
        foreach (string name in (string[])["m/a/1", "m/a/2/3", "m/ab/1", "m/a.json", "n"])
            await Store.PutAsync(name, new byte[] { 1 }, PutCondition.Always, Cancel);

        await Store.DeletePrefixAsync("m/a", Cancel);
        await Store.DeletePrefixAsync("no/such", Cancel);

        Assert.Equal(["m/a.json", "m/ab/1", "n"], await NamesAsync(""));
    }

    [Fact]
    public async Task List_GivesNamesLengthsAndETagsBelowThePrefix()
    {
        string eTag = await Store.PutAsync("m/a/1", new byte[3], PutCondition.Always, Cancel);
        await Store.PutAsync("m/ab/1", new byte[4], PutCondition.Always, Cancel);

        ObjectInfo info = Assert.Single(await ListAsync("m/a"));

        Assert.Equal(new ObjectInfo("m/a/1", 3, eTag), info);
        Assert.Equal(["m/a/1", "m/ab/1"], await NamesAsync("m"));
        Assert.Empty(await ListAsync("no/such"));
    }

    [Fact]
    public async Task List_OfManyObjects_GivesEachOnce()
    {
        string[] names = [.. Enumerable.Range(0, 600).Select(i => $"many/{i % 7}/{i:d4}").Order(StringComparer.Ordinal)];
        await Parallel.ForEachAsync(names, Cancel, async (name, cancel) => await Store.PutAsync(name, new byte[] { 1 }, PutCondition.Always, cancel));

        Assert.Equal(names, await NamesAsync("many"));
    }

    [Fact]
    public async Task OpenRead_IsSeekable()
    {
        await Store.PutAsync("x", BodyStream.Bytes(0, 10_000), PutCondition.Always, Cancel);

        await using Stream stream = await Store.OpenReadAsync("x", Cancel);
        byte[] middle = new byte[100];
        stream.Seek(5_000, SeekOrigin.Begin);
        await stream.ReadExactlyAsync(middle, Cancel);

        Assert.True(stream.CanSeek);
        Assert.Equal(10_000, stream.Length);
        Assert.Equal(BodyStream.Bytes(5_000, 100), middle);
    }

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

    [Fact]
    public async Task Append_ManyAtOnce_ExactlyOneWins()
    {
        ObjectStore[] stores = [Store, await OpenAgainAsync()];

        bool[] won = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => Task.Run(() => TryAppendAsync(stores[i % 2], 100 + i), Cancel)));

        int winner = Assert.Single(Enumerable.Range(0, 16), i => won[i]);
        await AssertPatternAsync("x", 100 + winner);
    }

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("/a")]
    [InlineData("a/")]
    [InlineData("a//b")]
    [InlineData("..")]
    [InlineData("a/../b")]
    [InlineData("a/./b")]
    [InlineData(".tmp/x")]
    [InlineData(".hidden")]
    [InlineData("a/b.")]
    [InlineData("a\\b")]
    [InlineData("C:a")]
    [InlineData("a b")]
    [InlineData("a\0b")]
    [InlineData("a\nb")]
    [InlineData("ä")]
    [InlineData("con")]
    [InlineData("a/NUL.json")]
    [InlineData("a/..%2fb")]
    public async Task AnyMethod_BadName_IsRefused(string name)
    {
        Func<Task>[] calls =
        [
            () => Store.GetAsync(name, Cancel),
            () => Store.PutAsync(name, new byte[1], PutCondition.Always, Cancel),
            () => Store.DeleteAsync(name, PutCondition.Always, Cancel),
            () => Store.DeletePrefixAsync(name, Cancel),
            () => Store.OpenReadAsync(name, Cancel),
            () => Store.LengthAsync(name, Cancel),
            () => Store.AppendAsync(name, 0, new BodyStream(1), Plenty, Cancel),
            () => Task.FromResult(Store.TryGetLocalPath(name)),
            () => Task.FromResult(Store.TryGetLocalFolder(name)),
            () => name.Length > 0 ? ListAsync(name) : throw new StoreException(StoreError.BadName, "an empty prefix lists everything"),
        ];
        foreach (Func<Task> call in calls)
            Assert.Equal(StoreError.BadName, (await Assert.ThrowsAsync<StoreException>(call)).Error);
    }

    protected async Task AssertPatternAsync(string name, long length)
    {
        await using Stream stream = await Store.OpenReadAsync(name, Cancel);
        Assert.Equal(length, stream.Length);
        byte[] bytes = new byte[length];
        await stream.ReadExactlyAsync(bytes, Cancel);
        Assert.True(BodyStream.Bytes(0, length).AsSpan().SequenceEqual(bytes), "the stored bytes are not those that were sent");
    }

    protected async Task<List<ObjectInfo>> ListAsync(string prefix) => await Store.ListAsync(prefix, Cancel).ToListAsync(Cancel);

    private async Task<string[]> NamesAsync(string prefix) => [.. (await ListAsync(prefix)).Select(info => info.Name).Order(StringComparer.Ordinal)];

    private static async Task<bool> TryPutAsync(ObjectStore store, string name, byte value, PutCondition condition)
    {
        try
        {
            await store.PutAsync(name, new[] { value }, condition, Cancel);
            return true;
        }
        catch (StoreException error) when (error.Error == StoreError.ConditionFailed)
        {
            return false;
        }
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
