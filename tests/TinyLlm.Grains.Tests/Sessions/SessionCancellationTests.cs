using TinyLlm.Grains.Access;
using TinyLlm.Grains.Sessions;
using TinyLlm.Tests;

namespace TinyLlm.Grains.Tests.Sessions;

/// <summary>A client that goes away: what it held is free within two steps of the device, whenever it goes.</summary>
public sealed class SessionCancellationTests : IAsyncLifetime
{
    private const int Slots = 4;

    private GrainCluster _cluster = null!;
    private ModelLease _lease = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private SimulatedBackend Device => _cluster.Device();

    public async ValueTask InitializeAsync()
    {
        _cluster = await GrainCluster.StartAsync(new TestSilo { Loop = options => options.MaxRunning = Slots });
        TestUser alice = await _cluster.CreateUserAsync("alice");
        await alice.PublishAsync("tiny");
        _lease = (await alice.LeaseAsync("tiny")).Lease;
        await _cluster.GenerateAsync(_lease, TestSession.Greedy(1)); // the model is resident
    }

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task Dispose_DeviceStoppedMidway_NoFurtherTokenAndFreeWithinTwoSteps()
    {
        Device.Hold();
        IAsyncEnumerator<SessionEvent> events = Start(CancellationToken.None);
        await AdmitAsync(events);
        Assert.Equal("a", Assert.IsType<SessionDelta>(await NextAsync(events)).Text);
        await ArriveAsync(); // the device stands inside the second step

        // Returns when the session's enumerator is disposed on its silo: the generation is told by then.
        await events.DisposeAsync();
        long steps = _cluster.Loop().Snapshot().Steps;
        Assert.Equal(1, _cluster.Loop().Snapshot().RunningSequences);
        Assert.Equal(1, _cluster.ModelHost().Snapshot().Holds);
        Device.Release();
        await IdleAsync();

        Assert.InRange(_cluster.Loop().Snapshot().Steps - steps, 0, 2);
    }

    [Fact]
    public async Task Cancel_WhileWaitingForATokenMidway_FreeWithinTwoSteps()
    {
        Device.Hold();
        using CancellationTokenSource client = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        IAsyncEnumerator<SessionEvent> events = Start(client.Token);
        await AdmitAsync(events);
        Assert.IsType<SessionDelta>(await NextAsync(events));
        Task<bool> waiting = events.MoveNextAsync().AsTask();
        await ArriveAsync();

        await client.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        await events.DisposeAsync();
        long steps = _cluster.Loop().Snapshot().Steps;
        Device.Release();
        await IdleAsync();

        Assert.InRange(_cluster.Loop().Snapshot().Steps - steps, 0, 2);
    }

    /// <summary>A client that went away before the first event was never told to the session: the slot stayed taken until the answer's end.</summary>
    [Fact]
    public async Task Cancel_BeforeTheFirstToken_FreeWithinTwoSteps()
    {
        Device.Hold();
        using CancellationTokenSource client = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        IAsyncEnumerator<SessionEvent> events = Start(client.Token);
        Task<bool> waiting = events.MoveNextAsync().AsTask();
        await ArriveAsync(); // inside the prefill

        await client.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        await events.DisposeAsync();
        long steps = _cluster.Loop().Snapshot().Steps;
        Device.Release();
        await IdleAsync();

        Assert.InRange(_cluster.Loop().Snapshot().Steps - steps, 0, 2);
    }

    /// <summary>Of six choices some run and some wait for a place: all of them leave together.</summary>
    [Fact]
    public async Task Dispose_SeveralChoices_AllAreFreeWithinTwoSteps()
    {
        Device.Hold();
        IAsyncEnumerator<SessionEvent> events = Start(CancellationToken.None, choices: Slots + 2);
        await AdmitAsync(events);
        Assert.IsType<SessionDelta>(await NextAsync(events));
        await ArriveAsync();
        // They come one after the other, and the device may be quicker than they.
        while (_cluster.Loop().Snapshot().RunningSequences < 2)
        {
            Device.Release();
            await ArriveAsync();
        }
        int running = _cluster.Loop().Snapshot().RunningSequences;
        Assert.InRange(running, 2, Slots);
        Assert.Equal(Slots + 2 - running, _cluster.Loop().Snapshot().WaitingSequences);

        await events.DisposeAsync();
        long steps = _cluster.Loop().Snapshot().Steps;
        Device.Release();
        await IdleAsync();

        Assert.InRange(_cluster.Loop().Snapshot().Steps - steps, 0, 2);
    }

    private IAsyncEnumerator<SessionEvent> Start(CancellationToken cancellationToken, int choices = 1) =>
        _cluster.Session(_lease).Generate(_lease, TestSession.Greedy(100) with { Choices = choices }, cancellationToken).GetAsyncEnumerator(cancellationToken);

    private static async Task<SessionEvent> NextAsync(IAsyncEnumerator<SessionEvent> events)
    {
        Assert.True(await events.MoveNextAsync());
        return events.Current;
    }

    /// <summary>Waits until the device stands inside a step.</summary>
    private async Task ArriveAsync()
    {
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        patience.CancelAfter(TimeSpan.FromMinutes(3));
        await Task.Run(() => Device.NextStep(patience.Token), Cancel);
    }

    /// <summary>Begins the enumeration and lets the device make the first token, with which the session is admitted.</summary>
    private async Task AdmitAsync(IAsyncEnumerator<SessionEvent> events)
    {
        Task<SessionEvent> first = NextAsync(events);
        await ArriveAsync();
        Device.Release();
        Assert.IsType<SessionAdmitted>(await first);
    }

    /// <summary>Lets the device go on, and waits until the last hold is given back, which is after the engine let go.</summary>
    private async Task IdleAsync()
    {
        await Eventually.TrueAsync(() => _cluster.ModelHost().Snapshot() is { Holds: 0, Running: 0, Waiting: 0 });
        Assert.Equal(TinyModel.WeightBytes, _cluster.Loop().Budget.ReservedBytes - _cluster.Loop().Snapshot().PrefixBytes);
    }
}
