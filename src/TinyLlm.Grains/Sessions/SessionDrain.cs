using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace TinyLlm.Grains.Sessions;

/// <summary>
/// Lets a silo leave without cutting anybody off: from the moment it stops, sessions here refuse new requests, and the silo stays until
/// those that run have ended or the deadline has come. Orleans by itself would abort them, and go on placing new ones here meanwhile.
/// </summary>
public sealed partial class SessionDrain(IOptions<SessionDrainOptions> options, TimeProvider time, ILogger<SessionDrain> logger) : ILifecycleParticipant<ISiloLifecycle>
{
    /// <summary>An answer has ended here before its last batch is with its reader; this is for the batch to arrive. Half a second: a choice, not a measurement.</summary>
    private static readonly TimeSpan s_linger = TimeSpan.FromMilliseconds(500);

    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _empty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _running;
    private bool _isDraining;

    /// <summary>Whether this silo takes no new requests.</summary>
    public bool IsDraining
    {
        get
        {
            lock (_gate) return _isDraining;
        }
    }

    /// <summary>Ends when the drain has: no answer runs here any more, or those that do are cut.</summary>
    internal Task Drained => _drained.Task;

    /// <inheritdoc/>
    public void Participate(ISiloLifecycle lifecycle) =>
        lifecycle.Subscribe(nameof(SessionDrain), ServiceLifecycleStage.Active, _ => Task.CompletedTask, StopAsync);

    /// <summary>A place for one request, which holds the silo until it is disposed; null when the silo is leaving.</summary>
    internal IDisposable? TryEnter()
    {
        lock (_gate)
        {
            if (_isDraining) return null;
            _running++;
            return new Place(this);
        }
    }

    /// <summary>Refuses from now on, and waits until no request is left, the deadline, or <paramref name="cancellationToken"/>. Never throws.</summary>
    internal async Task DrainAsync(CancellationToken cancellationToken)
    {
        int running;
        lock (_gate)
        {
            _isDraining = true;
            running = _running;
            if (running == 0) _empty.TrySetResult();
        }
        if (running > 0) await WaitAsync(running, cancellationToken);
        await Task.Delay(s_linger, cancellationToken).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private async Task WaitAsync(int running, CancellationToken cancellationToken)
    {
        LogDraining(logger, running, options.Value.Deadline);
        try
        {
            await _empty.Task.WaitAsync(options.Value.Deadline, time, cancellationToken);
        }
        catch (Exception exception) when (exception is TimeoutException or OperationCanceledException)
        {
            lock (_gate) running = _running;
            if (running > 0) LogCut(logger, running);
        }
    }

    private async Task StopAsync(CancellationToken cancellationToken)
    {
        await DrainAsync(cancellationToken);
        _drained.TrySetResult();
    }

    private void Leave()
    {
        lock (_gate)
        {
            if (--_running == 0 && _isDraining) _empty.TrySetResult();
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "This silo is leaving: {Sessions} running answers have {Deadline} to end")]
    private static partial void LogDraining(ILogger logger, int sessions, TimeSpan deadline);

    [LoggerMessage(Level = LogLevel.Warning, Message = "This silo leaves before {Sessions} answers ended: they are cut")]
    private static partial void LogCut(ILogger logger, int sessions);

    private sealed class Place(SessionDrain drain) : IDisposable
    {
        private int _isLeft;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _isLeft, 1) == 0) drain.Leave();
        }
    }
}
