using TinyLlm.Tests;

namespace TinyLlm.Engine.Tests;

/// <summary>Loading beside what runs: neither waits for the other.</summary>
public sealed class LoadTests
{
    /// <summary>Weights used to be brought in within a turn of the loop, so that a large model stopped every stream of the others.</summary>
    [Fact]
    public async Task LoadAsync_TakesItsTime_StreamsOfResidentModelsGoOn()
    {
        await using LoopFixture fixture = await LoopFixture.Create();
        using Barriers load = new(fixture.Device);
        Task<ResidentModel> loading = fixture.Load();
        load.WaitUntilBegun();

        Assert.Equal(20, (await LoopFixture.ReadAll(fixture.Start(3, 20))).Length); // a whole answer, from the queue to its end
        Assert.False(loading.IsCompleted);
        load.End();

        Assert.Equal(5, (await LoopFixture.ReadAll(fixture.Start(3, 5, model: await loading))).Length);
    }

    [Fact]
    public async Task LoadAsync_ATurnTakesItsTime_IsDoneBeforeItsEnd()
    {
        await using LoopFixture fixture = await LoopFixture.Create();
        fixture.Device.Hold();
        Generation generation = fixture.Start(3, 5);
        fixture.Device.NextStep(LoopFixture.Cancellation);

        ResidentModel model = await fixture.Load();

        Assert.False(generation.Tokens.TryPeek(out _));
        fixture.Device.Open();
        Assert.Equal(5, (await LoopFixture.ReadAll(generation)).Length);
        await fixture.Loop.UnloadAsync(model);
    }

    [Fact]
    public async Task LoadAsync_Several_OneAtATime()
    {
        await using LoopFixture fixture = await LoopFixture.Create();
        int underWay = 0, most = 0;
        fixture.Device.Loads = () =>
        {
            most = Math.Max(most, Interlocked.Increment(ref underWay));
            Thread.Yield();
            Interlocked.Decrement(ref underWay);
        };
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => fixture.Load()));
        Assert.Equal(1, most);
    }

    [Fact]
    public async Task DisposeAsync_DuringALoad_WaitsForIt_AndNothingStays()
    {
        LoopFixture fixture = await LoopFixture.Create();
        using Barriers load = new(fixture.Device);
        Task<ResidentModel> loading = fixture.Load(), behind = fixture.Load();
        load.WaitUntilBegun();

        Task disposing = fixture.Loop.DisposeAsync().AsTask();
        Assert.False(fixture.Device.IsDisposed); // the load still uses it
        load.End();
        await disposing;

        await Assert.ThrowsAsync<ObjectDisposedException>(() => loading);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => behind);
        await Assert.ThrowsAsync<ObjectDisposedException>(fixture.Load);
        Assert.True(fixture.Device.IsDisposed);
        Assert.Equal(0, fixture.Device.LiveTensors);
        await fixture.DisposeAsync();
    }

    [Fact]
    public async Task LoadAsync_Fails_LeavesTheLoopAsItWas()
    {
        await using LoopFixture fixture = await LoopFixture.Create();
        fixture.Device.Loads = () => throw new InvalidOperationException("no room");
        await Assert.ThrowsAsync<InvalidOperationException>(fixture.Load);
        fixture.Device.Loads = () => { };
        Assert.Equal(5, (await LoopFixture.ReadAll(fixture.Start(3, 5, model: await fixture.Load()))).Length);
    }

    /// <summary>Stops the next load where it begins.</summary>
    private sealed class Barriers : IDisposable
    {
        private readonly ManualResetEventSlim _begun = new(), _mayEnd = new();

        public Barriers(SimulatedBackend device) => device.Loads = () =>
        {
            _begun.Set();
            _mayEnd.Wait(LoopFixture.Cancellation);
        };

        public void WaitUntilBegun() => _begun.Wait(LoopFixture.Cancellation);

        public void End() => _mayEnd.Set();

        public void Dispose()
        {
            End();
            _begun.Dispose();
            _mayEnd.Dispose();
        }
    }
}
