using Microsoft.Extensions.Logging;

namespace TinyLlm.Engine;

/// <summary>
/// What a device does next. The loop's thread owns it and calls <see cref="Turn"/> again and again; each turn numbers its steps.
/// Knows no lock, thread or command.
/// </summary>
internal sealed partial class Scheduler
{
    // How often a starving queue asks again for memory: a model may have become idle without any bytes moving.
    private static readonly TimeSpan s_askAgain = TimeSpan.FromSeconds(1);

    private readonly DeviceLoopOptions _options;
    private readonly ByteBudget _budget;
    private readonly LoopCounters _counters;
    private readonly TimeProvider _time;
    private readonly Action _wake;
    private readonly Action<Sequence> _ended;
    private readonly ILogger _logger;
    private readonly CallerShares _shares = new();
    private readonly WaitingQueue _waiting;
    private readonly List<Sequence> _running = [];
    private readonly BatchRunner _runner;
    private Sequence? _starved;
    private long _starvedBytes, _starvedSince;

    /// <summary>Wake ends the loop's wait for something to do; any thread may call it. Ended is told of each sequence once, before its caller is.</summary>
    public Scheduler(DeviceLoopOptions options, ByteBudget budget, LoopCounters counters, TimeProvider time, Action wake, Action<Sequence> ended, ILogger logger)
    {
        (_options, _budget, _counters, _time, _wake, _ended, _logger) = (options, budget, counters, time, wake, ended, logger);
        _waiting = new WaitingQueue(_shares);
        _runner = new BatchRunner(_shares, options.PrefillTokens);
    }

    /// <summary>Told how many bytes the next sequence lacks.</summary>
    public Action<long>? OnStarved { get; set; }

    public void Add(Sequence sequence)
    {
        _shares.Join(sequence.Request.Caller);
        sequence.StalledSince = _time.GetTimestamp();
        _waiting.Add(sequence);
    }

    /// <summary>One turn. False: there was nothing to run.</summary>
    public bool Turn()
    {
        // 1. Free what is over, so that its slot and memory serve this very turn.
        EndOverdue();

        // 2. Give slots and memory to those who wait.
        Admit();

        // 3. Each model with work runs one batch.
        bool ran = false;
        foreach (ResidentModel model in _running.Select(sequence => sequence.Model).Distinct().ToArray())
        {
            Sequence[] batch = _runner.Choose(_running, model);
            if (batch.Length == 0) continue;
            ran = true;
            Run(model, batch);
        }
        if (ran) _counters.AddStep();
        return ran;
    }

    /// <summary>How long until a turn has something to do though nobody called; null: never.</summary>
    public TimeSpan? UntilDeadline()
    {
        TimeSpan? least = null;
        foreach (Sequence sequence in _waiting.All) Consider(_options.WaitDeadline, sequence.StalledSince);
        foreach (Sequence sequence in _running) Consider(_options.SlowReaderDeadline, sequence.StalledSince);
        if (_starved is not null) Consider(s_askAgain, _starvedSince);
        return least;

        void Consider(TimeSpan deadline, long? since)
        {
            if (since is null) return;
            TimeSpan left = deadline - _time.GetElapsedTime(since.Value);
            if (least is null || left < least) least = left;
        }
    }

    /// <summary>Ends every sequence: the loop stops.</summary>
    public void EndAll(Exception error)
    {
        _waiting.RemoveWhere(_ => true, sequence => EndWaiting(sequence, FinishReason.Failed, error));
        foreach (Sequence sequence in _running.ToArray()) End(sequence, FinishReason.Failed, error);
    }

    private void EndOverdue()
    {
        _waiting.RemoveWhere(sequence => sequence.IsCancelled, sequence => EndWaiting(sequence, FinishReason.Cancelled, null));
        _waiting.RemoveWhere(
            sequence => IsOver(sequence.StalledSince, _options.WaitDeadline),
            sequence => EndWaiting(sequence, FinishReason.Failed, new EngineBusyException($"no room on the device within {_options.WaitDeadline.TotalSeconds} s: try again later", _options.RetryAfter)));
        foreach (Sequence sequence in _running.ToArray())
        {
            if (sequence.IsCancelled) End(sequence, FinishReason.Cancelled, null);
            else if (sequence.StalledSince is not null && sequence.HasRoom) Resume(sequence);
            else if (IsOver(sequence.StalledSince, _options.SlowReaderDeadline)) End(sequence, FinishReason.SlowReader, null);
        }
    }

    private bool IsOver(long? since, TimeSpan deadline) => since is not null && _time.GetElapsedTime(since.Value) >= deadline;

    private void Admit()
    {
        while (_running.Count < _options.MaxRunning && _waiting.Head() is Sequence head)
        {
            long bytes = head.Model.Decoder.CacheBytes(head.CapacityTokens);
            if (!_budget.TryReserve(bytes))
            {
                ReportStarved(head, bytes - (_budget.LimitBytes - _budget.ReservedBytes));
                return;
            }
            _waiting.Remove(head);
            head.CacheBytes = bytes;
            head.StalledSince = null;
            _counters.AddWaiting(-1);
            _counters.AddRunning(1);
            _running.Add(head);
            try
            {
                head.Cache = head.Model.Decoder.CreateCache(head.CapacityTokens);
            }
            catch (Exception exception)
            {
                LogCacheFailed(exception, bytes);
                End(head, FinishReason.Failed, exception);
            }
        }
        _starved = null;
    }

    private void ReportStarved(Sequence head, long lackingBytes)
    {
        bool isKnown = head == _starved && lackingBytes == _starvedBytes && _time.GetElapsedTime(_starvedSince) < s_askAgain;
        if (isKnown || lackingBytes <= 0) return;
        (_starved, _starvedBytes, _starvedSince) = (head, lackingBytes, _time.GetTimestamp());
        try
        {
            OnStarved?.Invoke(lackingBytes);
        }
        catch (Exception exception)
        {
            LogStarvedHandlerFailed(exception);
        }
    }

    private void Run(ResidentModel model, Sequence[] batch)
    {
        // 4. One forward pass. If it fails, what these caches hold is unknown: the batch ends, and nobody else.
        try
        {
            _runner.Forward(model);
        }
        catch (Exception exception)
        {
            LogForwardFailed(exception, batch.Length);
            foreach (Sequence sequence in batch) End(sequence, FinishReason.Failed, exception);
            return;
        }

        // 5. Whoever's prompt is complete gets a token.
        for (int i = 0; i < batch.Length; i++)
        {
            if (!batch[i].IsPrefilling) Emit(batch[i], i);
        }
    }

    private void Emit(Sequence sequence, int row)
    {
        GeneratedToken? next;
        try
        {
            next = _runner.Sample(sequence, row);
        }
        catch (InvalidDataException exception)
        {
            LogSampleFailed(exception);
            End(sequence, FinishReason.Failed, exception);
            return;
        }
        if (next is not { } token || sequence.Request.StopIds.Contains(token.Id))
        {
            End(sequence, FinishReason.Stop, null);
            return;
        }
        sequence.LastToken[0] = token.Id;
        sequence.EmittedTokens++;
        bool wasWritten = sequence.Tokens.Writer.TryWrite(token);
        if (!wasWritten) throw new InvalidOperationException("a sequence ran whose channel was full");
        if (sequence.EmittedTokens >= sequence.MaxNewTokens) End(sequence, FinishReason.Length, null);
        else if (!sequence.HasRoom) Pause(sequence);
    }

    private void Pause(Sequence sequence)
    {
        sequence.StalledSince = _time.GetTimestamp();
        _counters.AddPaused(1);
        // Completes when the reader takes a token, or the channel ends. Nobody awaits it: its only effect is the wake.
        sequence.Tokens.Writer.WaitToWriteAsync().AsTask().ContinueWith(_ => _wake(), TaskScheduler.Default);
    }

    private void Resume(Sequence sequence)
    {
        sequence.StalledSince = null;
        _counters.AddPaused(-1);
    }

    private void EndWaiting(Sequence sequence, FinishReason reason, Exception? error)
    {
        _counters.AddWaiting(-1);
        if (sequence == _starved) _starved = null;
        Complete(sequence, reason, error);
    }

    /// <summary>Frees a running sequence's slot, cache and bytes, and only then tells its caller.</summary>
    private void End(Sequence sequence, FinishReason reason, Exception? error)
    {
        _running.Remove(sequence);
        if (sequence.StalledSince is not null) Resume(sequence);
        sequence.Cache?.Dispose();
        sequence.Cache = null;
        _budget.Release(sequence.CacheBytes);
        _counters.AddRunning(-1);
        Complete(sequence, reason, error);
    }

    private void Complete(Sequence sequence, FinishReason reason, Exception? error)
    {
        _shares.Leave(sequence.Request.Caller);
        _ended(sequence);
        LogEnded(reason == FinishReason.SlowReader ? LogLevel.Information : LogLevel.Debug, reason, sequence.EmittedTokens);
        sequence.Tokens.Writer.Complete();
        sequence.Completion.SetResult(new GenerationEnd(reason, sequence.EmittedTokens, error));
    }

    [LoggerMessage(Message = "Generation ended: {Reason} after {Tokens} tokens")]
    private partial void LogEnded(LogLevel level, FinishReason reason, int tokens);

    [LoggerMessage(LogLevel.Error, "A forward pass failed; its {Sequences} sequences ended")]
    private partial void LogForwardFailed(Exception exception, int sequences);

    [LoggerMessage(LogLevel.Error, "A model's logits could not be sampled")]
    private partial void LogSampleFailed(Exception exception);

    [LoggerMessage(LogLevel.Error, "A cache of {Bytes} reserved bytes could not be allocated")]
    private partial void LogCacheFailed(Exception exception, long bytes);

    [LoggerMessage(LogLevel.Error, "The handler that frees memory for a waiting sequence failed")]
    private partial void LogStarvedHandlerFailed(Exception exception);
}
