using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orleans.Serialization;
using Orleans.Serialization.Serializers;
using Orleans.Storage;
using Polly;

namespace TinyLlm.Storage.Tests.Faults;

/// <summary>What a store does when its disk or service fails for a moment, or fails after it did what it was asked: each backing runs this whole suite.</summary>
public abstract class StoreFaults : IAsyncLifetime
{
    private const int Steps = 30;

    private static readonly ResiliencePropertyKey<int> Broken = new("broken");

    private ObjectStore? opened;
    private ObjectStore? broken;

    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private ObjectStore Store => opened ?? throw new InvalidOperationException("the store is not open yet");

    public async ValueTask InitializeAsync() => opened = await OpenAsync();

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await CloseAsync();
    }

    protected abstract Task<ObjectStore> OpenAsync();

    protected abstract Task CloseAsync();

    /// <summary>What the backing throws when it fails for a moment.</summary>
    protected abstract Exception Transient();

    [Fact]
    public async Task AnyAccess_FailsThreeTimes_StillAnswers()
    {
        await Store.PutAsync("x", new byte[] { 1 }, PutCondition.Always, Cancel);
        foreach (Func<ObjectStore, Task> access in Accesses())
        {
            FaultStrategy faults = Break(await OpenAsync(), Fault.Before, Fault.Before, Fault.Before);
            await access(broken!);
            Assert.True(faults.Accesses >= 4);
        }
    }

    [Fact]
    public async Task AnyAccess_FailsFourTimes_IsUnavailable()
    {
        await Store.PutAsync("x", new byte[] { 1 }, PutCondition.Always, Cancel);
        foreach (Func<ObjectStore, Task> access in Accesses())
        {
            FaultStrategy faults = Break(await OpenAsync(), Fault.Before, Fault.Before, Fault.Before, Fault.Before);
            StoreException error = await Assert.ThrowsAsync<StoreException>(() => access(broken!));
            Assert.Equal(StoreError.Unavailable, error.Error);
            Assert.Equal(4, faults.Accesses);
        }
    }

    [Fact]
    public async Task Put_ConditionFails_IsAnAnswerAndNotRepeated()
    {
        await Store.PutAsync("x", new byte[] { 1 }, PutCondition.Always, Cancel);
        FaultStrategy faults = Break(Store);

        StoreException error = await Assert.ThrowsAsync<StoreException>(() => Store.PutAsync("x", new byte[] { 2 }, PutCondition.IfAbsent, Cancel));

        Assert.Equal(StoreError.ConditionFailed, error.Error);
        Assert.Equal(1, faults.Accesses);
    }

    [Theory]
    [InlineData("absent", 1)]
    [InlineData("absent", 3)]
    [InlineData("match", 1)]
    [InlineData("match", 3)]
    [InlineData("always", 1)]
    [InlineData("always", 3)]
    public async Task Put_AnswerLost_IsRecognisedAndWrittenOnce(string kind, int lost)
    {
        ObjectStore other = await OpenAsync();
        PutCondition condition = kind switch
        {
            "absent" => PutCondition.IfAbsent,
            "match" => PutCondition.IfMatch(await Store.PutAsync("x", new byte[] { 1 }, PutCondition.Always, Cancel)),
            _ => PutCondition.Always,
        };
        FaultStrategy faults = Break(Store, [.. Enumerable.Repeat(Fault.After, lost)]);
        List<string> seen = [];
        faults.WhenLost = async () => seen.Add((await other.GetAsync("x", Cancel))!.ETag);

        string eTag = await Store.PutAsync("x", new byte[] { 2 }, condition, Cancel);

        Assert.Equal(lost, seen.Count);
        Assert.All(seen, tag => Assert.Equal(eTag, tag));
        StoredObject stored = (await other.GetAsync("x", Cancel))!;
        Assert.Equal((eTag, 2), (stored.ETag, stored.Bytes.Span[0]));
    }

    /// <summary>Even the same bytes: what another writer put there is not ours.</summary>
    [Fact]
    public async Task Put_FailsBeforeItsEffectAndAnotherWritesTheSame_IsAConflict()
    {
        ObjectStore other = await OpenAsync();
        int count = 0;
        FaultStrategy faults = new FaultStrategy(Transient, _ =>
        {
            if (count++ > 0) return Fault.None;
            other.PutAsync("x", new byte[] { 2 }, PutCondition.IfAbsent, Cancel).GetAwaiter().GetResult();
            return Fault.Before;
        }).Into(Store);

        StoreException error = await Assert.ThrowsAsync<StoreException>(() => Store.PutAsync("x", new byte[] { 2 }, PutCondition.IfAbsent, Cancel));

        Assert.Equal(StoreError.ConditionFailed, error.Error);
        Assert.Equal(2, faults.Accesses);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Put_AnswerLostAndAnotherWroteOverIt_NeverWritesOverThat(int lost)
    {
        ObjectStore other = await OpenAsync();
        FaultStrategy faults = Break(Store, [.. Enumerable.Repeat(Fault.After, lost)]);
        faults.WhenLost = async () => await other.PutAsync("x", new byte[] { 9 }, PutCondition.Always, Cancel);

        try
        {
            await Store.PutAsync("x", new byte[] { 2 }, PutCondition.IfAbsent, Cancel);
        }
        catch (StoreException error) when (error.Error == StoreError.ConditionFailed)
        {
            // A service no longer knows that ours was there in between; a disk's own process does. Both are true.
        }

        Assert.Equal(9, (await other.GetAsync("x", Cancel))!.Bytes.Span[0]);
    }

    [Fact]
    public async Task Delete_AnswerLost_IsDone()
    {
        string eTag = await Store.PutAsync("x", new byte[] { 1 }, PutCondition.Always, Cancel);
        Break(Store, Fault.After, Fault.After);

        Assert.True(await Store.DeleteAsync("x", PutCondition.IfMatch(eTag), Cancel));

        Assert.Null(await Store.GetAsync("x", Cancel));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Append_AnswersLost_KeepsEveryByteOnce(bool withDigest)
    {
        const long length = (2 * ObjectStore.AppendBlockBytes) + 17;
        ContentDigest? digest = withDigest ? new ContentDigest(System.Security.Cryptography.SHA256.HashData(BodyStream.Bytes(0, length))) : null;
        int count = 0;
        new FaultStrategy(Transient, _ => (count++ % 3) switch { 0 => Fault.After, 1 => Fault.Before, _ => Fault.None }).Into(Store);

        AppendResult result = await Store.AppendAsync("x", 0, new BodyStream(length), long.MaxValue, digest, Cancel);

        Assert.Equal(length, result.Length);
        await using Stream stream = await (await OpenAsync()).OpenReadAsync("x", Cancel);
        byte[] bytes = new byte[stream.Length];
        await stream.ReadExactlyAsync(bytes, Cancel);
        Assert.True(BodyStream.Bytes(0, length).AsSpan().SequenceEqual(bytes));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task ReadPieces_AnswersLost_HandsOnEachByteOnce(int lost)
    {
        await Store.PutAsync("x", BodyStream.Bytes(0, 1_000), PutCondition.Always, Cancel);
        FaultStrategy faults = Break(Store, [.. Enumerable.Repeat(Fault.After, lost)]);
        List<byte> taken = [];

        long read = await Store.ReadPiecesAsync("x", 100, 800, new byte[300], piece => taken.AddRange(piece), Cancel);

        Assert.Equal(lost + 1, faults.Accesses);
        Assert.Equal(800, read);
        Assert.Equal(BodyStream.Bytes(100, 800), taken);
    }

    /// <summary>Once a disk that failed in the middle of a listing ended it, and with it a commit or a collection.</summary>
    [Fact]
    public async Task List_FailsAgainAndAgainOnTheWay_NamesEachObjectOnce()
    {
        string[] names = [.. Enumerable.Range(0, 12).Select(i => $"a/{i % 4}/{i}")];
        foreach (string name in names) await Store.PutAsync(name, new byte[] { 1 }, PutCondition.Always, Cancel);
        int count = 0;
        new FaultStrategy(Transient, _ => (count++ % 3) switch { 0 => Fault.After, 1 => Fault.Before, _ => Fault.None }).Into(Store);

        List<string> listed = await Store.ListAsync("a", Cancel).Select(found => found.Name).ToListAsync(Cancel);

        Assert.Equal(names.Order(StringComparer.Ordinal), listed.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Append_ServiceGone_IsUnavailableAndGoesOnLater()
    {
        await Store.AppendAsync("x", 0, new BodyStream(1_000), long.MaxValue, Cancel);
        bool gone = true;
        new FaultStrategy(Transient, _ => gone ? Fault.Before : Fault.None).Into(Store);

        StoreException error = await Assert.ThrowsAsync<StoreException>(() => Store.AppendAsync("x", 1_000, new BodyStream(500, patternOffset: 1_000), long.MaxValue, Cancel));
        Assert.Equal(StoreError.Unavailable, error.Error);

        gone = false;
        long? durable = await Store.LengthAsync("x", Cancel);
        Assert.Equal(1_000, durable);
        Assert.Equal(1_500, (await Store.AppendAsync("x", 1_000, new BodyStream(500, patternOffset: 1_000), long.MaxValue, Cancel)).Length);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Put_HundredAtOnceUnderFaults_ExactlyOneWins(int seed)
    {
        ObjectStore[] stores = [await OpenAsync(), await OpenAsync()];
        foreach (ObjectStore store in stores) Shake(store, seed);

        bool[] won = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => Task.Run(async () =>
        {
            try
            {
                await stores[i % 2].PutAsync("race", new[] { (byte)i }, PutCondition.IfAbsent, Cancel);
                return true;
            }
            catch (StoreException error) when (error.Error == StoreError.ConditionFailed)
            {
                return false;
            }
        }, Cancel)));

        int winner = Assert.Single(Enumerable.Range(0, 100), i => won[i]);
        Assert.Equal(winner, (await Store.GetAsync("race", Cancel))!.Bytes.Span[0]);
    }

    /// <summary>Grain state over a store that fails: no step is lost, none is done twice, and no lost answer is taken for another's write.</summary>
    [Fact]
    public async Task GrainState_StepsUnderFaults_AreEachDoneOnce()
    {
        Shake(Store, seed: 4);
        await using ServiceProvider services = new ServiceCollection().AddSerializer().BuildServiceProvider();
        ObjectGrainStorage storage = new(
            Store, new SystemTextJsonGrainStorageSerializer(Options.Create(new SystemTextJsonGrainStorageSerializerOptions())), services.GetRequiredService<IActivatorProvider>());
        GrainId grain = GrainId.Create("counter", "1");
        GrainState<Counter> state = new(new Counter());
        await storage.ReadStateAsync("count", grain, state);
        for (int i = 0; i < Steps; i++)
        {
            state.State!.Value++; // the storage keeps what it was given
            await storage.WriteStateAsync("count", grain, state);
        }

        GrainState<Counter> read = new(new Counter());
        await storage.ReadStateAsync("count", grain, read);

        Assert.Equal((Steps, state.ETag), (read.State!.Value, read.ETag));
    }

    /// <summary>Every kind of access; each begins with the one that is broken.</summary>
    private static Func<ObjectStore, Task>[] Accesses() =>
    [
        store => store.GetAsync("x", Cancel),
        store => store.PutAsync("y", new byte[1], PutCondition.Always, Cancel),
        store => store.LengthAsync("x", Cancel),
        store => store.ReadRangeAsync("x", 0, new byte[1], Cancel),
        store => store.ReadPiecesAsync("x", 0, 1, new byte[1], _ => { }, Cancel),
        store => store.DeleteAsync("none", PutCondition.Always, Cancel),
        store => store.DeletePrefixAsync("none", Cancel),
        async store => await (await store.OpenReadAsync("x", Cancel)).DisposeAsync(),
        async store => Assert.Contains(await store.ListAsync("", Cancel).ToListAsync(Cancel), found => found.Name == "x"),
        store => store.AppendAsync($"appended-{Guid.NewGuid():N}", 0, new BodyStream(10), 100, Cancel),
    ];

    private FaultStrategy Break(ObjectStore store, params Fault[] faults)
    {
        broken = store;
        Queue<Fault> plan = new(faults);
        return new FaultStrategy(Transient, _ => plan.TryDequeue(out Fault fault) ? fault : Fault.None).Into(store);
    }

    /// <summary>Random faults of every kind, at most as many in one access as are repeated.</summary>
    private void Shake(ObjectStore store, int seed)
    {
        Random random = new(seed);
        Lock gate = new();
        new FaultStrategy(Transient, context =>
        {
            int soFar = context.Properties.GetValue(Broken, 0);
            Fault fault;
            lock (gate) fault = (Fault)random.Next(4);
            if (fault is not (Fault.Before or Fault.After)) return fault;
            if (soFar == StoreRetry.MaxRepeats) return Fault.None;
            context.Properties.Set(Broken, soFar + 1);
            return fault;
        }).Into(store);
    }

    internal sealed class Counter
    {
        public int Value { get; set; }
    }
}
