namespace TinyLlm.Storage.Tests;

/// <summary>What every object store does, whatever is behind it: each backing runs this whole suite.</summary>
public abstract partial class ObjectStoreConformance : IAsyncLifetime
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

        Assert.Equal(("m/a/1", 3, eTag), (info.Name, info.Length, info.ETag));
        Assert.InRange(info.LastModified, DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow.AddMinutes(5));
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
}
