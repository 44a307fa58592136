using System.Diagnostics.CodeAnalysis;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orleans.Serialization;
using Orleans.Serialization.Serializers;
using Orleans.Storage;

namespace TinyLlm.Storage.Tests;

/// <summary>Orleans' rules for grain storage, over each backing of the object store.</summary>
public abstract class GrainStorageConformance : IAsyncLifetime
{
    private const string StateName = "profile";

    private static readonly GrainId Grain = GrainId.Create("tinyllm.user", "0123456789");

    private readonly ServiceProvider services = new ServiceCollection().AddSerializer().BuildServiceProvider();
    private ObjectStore? store;
    private ObjectGrainStorage? storage;

    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private ObjectStore Store => store ?? throw new InvalidOperationException("the store is not open yet");

    private ObjectGrainStorage Storage => storage ?? throw new InvalidOperationException("the store is not open yet");

    public async ValueTask InitializeAsync()
    {
        store = await OpenAsync();
        SystemTextJsonGrainStorageSerializer serializer = new(Options.Create(new SystemTextJsonGrainStorageSerializerOptions()));
        storage = new ObjectGrainStorage(store, serializer, services.GetRequiredService<IActivatorProvider>());
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await services.DisposeAsync();
        await CloseAsync();
    }

    protected abstract Task<ObjectStore> OpenAsync();

    protected abstract Task CloseAsync();

    [Fact]
    public async Task Read_OfNothing_GivesAnEmptyState()
    {
        HeldState<Profile> state = new(new Profile { Name = "left over" }) { ETag = "left over", RecordExists = true };

        await Storage.ReadStateAsync(StateName, Grain, state);

        Assert.False(state.RecordExists);
        Assert.Null(state.ETag);
        Assert.NotNull(state.State);
        Assert.Null(state.State.Name);
    }

    [Fact]
    public async Task Write_ThenRead_GivesTheStateBack()
    {
        HeldState<Profile> state = new(new Profile { Name = "alice", Versions = [3, 1] });
        await Storage.WriteStateAsync(StateName, Grain, state);
        HeldState<Profile> read = await ReadAsync();

        Assert.True(state.RecordExists);
        Assert.True(read.RecordExists);
        Assert.NotNull(state.ETag);
        Assert.Equal(state.ETag, read.ETag);
        Assert.Equal("alice", read.State.Name);
        Assert.Equal([3, 1], read.State.Versions);
    }

    [Fact]
    public async Task Write_LiesWhereTheOfficialProviderPutsIt()
    {
        await Storage.WriteStateAsync(StateName, Grain, new HeldState<Profile>(new Profile { Name = "alice" }));

        StoredObject? stored = await Store.GetAsync("profile-tinyllm.user/0123456789.json", Cancel);

        Assert.Equal("""{"Name":"alice","Versions":[]}""", Encoding.UTF8.GetString(stored!.Bytes.Span));
    }

    [Theory]
    [InlineData("a/b", "profile-g/a/b.json")]
    [InlineData("../b", "profile-g/%2E%2E/b.json")]
    [InlineData("a b+c", "profile-g/a%20b%2Bc.json")]
    [InlineData("", "profile-g/%2Ejson")]
    public async Task Write_AwkwardKey_StaysApartAndInside(string key, string name)
    {
        GrainId grain = GrainId.Create(GrainType.Create("g"), IdSpan.Create(key));
        await Storage.WriteStateAsync(StateName, grain, new HeldState<Profile>(new Profile { Name = key }));

        Assert.NotNull(await Store.GetAsync(name, Cancel));
        HeldState<Profile> read = new(new Profile());
        await Storage.ReadStateAsync(StateName, grain, read);
        Assert.Equal(key, read.State.Name);
    }

    [Fact]
    public async Task Write_WithoutETagOverAState_IsInconsistent()
    {
        HeldState<Profile> first = new(new Profile { Name = "first" });
        await Storage.WriteStateAsync(StateName, Grain, first);

        HeldState<Profile> second = new(new Profile { Name = "second" });
        InconsistentStateException error =
            await Assert.ThrowsAsync<InconsistentStateException>(() => Storage.WriteStateAsync(StateName, Grain, second));

        Assert.Null(second.ETag);
        Assert.False(second.RecordExists);
        Assert.Null(error.CurrentEtag);
        Assert.Equal("first", (await ReadAsync()).State.Name);
    }

    [Fact]
    public async Task Write_StaleETag_IsInconsistentAndKeepsIt()
    {
        HeldState<Profile> winner = new(new Profile { Name = "first" });
        await Storage.WriteStateAsync(StateName, Grain, winner);
        HeldState<Profile> stale = await ReadAsync();
        string? staleETag = stale.ETag;
        winner.State.Name = "second";
        await Storage.WriteStateAsync(StateName, Grain, winner);

        InconsistentStateException error =
            await Assert.ThrowsAsync<InconsistentStateException>(() => Storage.WriteStateAsync(StateName, Grain, stale));

        Assert.Equal(staleETag, stale.ETag);
        Assert.Equal(staleETag, error.CurrentEtag);
        Assert.Equal("second", (await ReadAsync()).State.Name);
        await Storage.ReadStateAsync(StateName, Grain, stale);
        await Storage.WriteStateAsync(StateName, Grain, stale);
    }

    [Fact]
    public async Task Write_StateWasDeleted_IsInconsistent()
    {
        HeldState<Profile> state = new(new Profile { Name = "first" });
        await Storage.WriteStateAsync(StateName, Grain, state);
        await Store.DeleteAsync("profile-tinyllm.user/0123456789.json", PutCondition.Always, Cancel);

        await Assert.ThrowsAsync<InconsistentStateException>(() => Storage.WriteStateAsync(StateName, Grain, state));
    }

    [Fact]
    public async Task Clear_ThenWrite_BeginsAnew()
    {
        HeldState<Profile> state = new(new Profile { Name = "first" });
        await Storage.WriteStateAsync(StateName, Grain, state);

        await Storage.ClearStateAsync(StateName, Grain, state);
        Assert.False(state.RecordExists);
        Assert.Null(state.ETag);
        Assert.Null(state.State.Name);
        Assert.False((await ReadAsync()).RecordExists);

        state.State.Name = "second";
        await Storage.WriteStateAsync(StateName, Grain, state);
        Assert.Equal("second", (await ReadAsync()).State.Name);
    }

    [Fact]
    public async Task Clear_OfNothing_IsFine()
    {
        HeldState<Profile> state = new(new Profile { Name = "unsaved" });

        await Storage.ClearStateAsync(StateName, Grain, state);

        Assert.False(state.RecordExists);
        Assert.Null(state.State.Name);
    }

    [Fact]
    public async Task Clear_StaleOrWithoutETagOverAState_IsInconsistent()
    {
        HeldState<Profile> winner = new(new Profile { Name = "first" });
        await Storage.WriteStateAsync(StateName, Grain, winner);
        HeldState<Profile> stale = await ReadAsync();
        await Storage.WriteStateAsync(StateName, Grain, winner);

        await Assert.ThrowsAsync<InconsistentStateException>(() => Storage.ClearStateAsync(StateName, Grain, stale));
        await Assert.ThrowsAsync<InconsistentStateException>(() => Storage.ClearStateAsync(StateName, Grain, new HeldState<Profile>(new Profile())));

        Assert.Equal("first", stale.State.Name);
        Assert.True((await ReadAsync()).RecordExists);
    }

    /// <summary>A provider that keeps the object on clearing leaves an empty one: it is no state, but writing goes on from its ETag.</summary>
    [Fact]
    public async Task Read_OfAnEmptyObject_IsNoStateButHasItsETag()
    {
        string eTag = await Store.PutAsync("profile-tinyllm.user/0123456789.json", ReadOnlyMemory<byte>.Empty, PutCondition.Always, Cancel);

        HeldState<Profile> state = await ReadAsync();
        Assert.False(state.RecordExists);
        Assert.Equal(eTag, state.ETag);
        Assert.Null(state.State.Name);

        state.State.Name = "new";
        await Storage.WriteStateAsync(StateName, Grain, state);
        Assert.Equal("new", (await ReadAsync()).State.Name);
    }

    [Fact]
    public async Task Write_HundredAtOnceFromOneETag_ExactlyOneWins()
    {
        HeldState<Profile> first = new(new Profile { Name = "first" });
        await Storage.WriteStateAsync(StateName, Grain, first);

        bool[] won = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => Task.Run(async () =>
        {
            try
            {
                await Storage.WriteStateAsync(StateName, Grain, new HeldState<Profile>(new Profile { Name = $"{i}" }) { ETag = first.ETag });
                return true;
            }
            catch (InconsistentStateException)
            {
                return false;
            }
        }, Cancel)));

        int winner = Assert.Single(Enumerable.Range(0, 100), i => won[i]);
        Assert.Equal($"{winner}", (await ReadAsync()).State.Name);
    }

    /// <summary>No type name is stored: a state whose type moved to another namespace, or lost a field, is still read.</summary>
    [Fact]
    public async Task Read_StateTypeMoved_StillReads()
    {
        await Storage.WriteStateAsync(StateName, Grain, new HeldState<Profile>(new Profile { Name = "alice", Versions = [1] }));

        HeldState<Moved.Profile> read = new(new Moved.Profile());
        await Storage.ReadStateAsync(StateName, Grain, read);

        Assert.True(read.RecordExists);
        Assert.Equal("alice", read.State.Name);
    }

    private async Task<HeldState<Profile>> ReadAsync()
    {
        HeldState<Profile> state = new(new Profile());
        await Storage.ReadStateAsync(StateName, Grain, state);
        return state;
    }

    /// <summary>What a grain holds of its state.</summary>
    private sealed class HeldState<T>(T state) : IGrainState<T>
    {
        [AllowNull]
        public T State { get => field!; set; } = state;

        public string? ETag { get; set; }

        public bool RecordExists { get; set; }
    }

    internal sealed class Profile
    {
        public string? Name { get; set; }

        public List<int> Versions { get; set; } = [];
    }

    internal static class Moved
    {
        internal sealed class Profile
        {
            public string? Name { get; set; }
        }
    }
}
