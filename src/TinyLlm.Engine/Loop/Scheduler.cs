using Microsoft.Extensions.Logging;

namespace TinyLlm.Engine;

/// <summary>
/// What a device does next. The loop's thread owns it and calls <see cref="Turn"/> again and again; each turn numbers its steps.
/// Knows no lock, thread or command.
/// </summary>
internal sealed partial class Scheduler
{
    private readonly DeviceLoopOptions _options;
    private readonly LoopCounters _counters;
    private readonly WaitingPlaces _places;
    private readonly TimeProvider _time;
    private readonly Action _wake;
    private readonly Action<Sequence> _ended;
    private readonly ILogger _logger;
    private readonly EngineMeter _meter;
    private readonly CallerShares _shares;
    private readonly Admission _admission;
    private readonly TurnPlan _plan;
    private readonly List<Sequence> _running = [];
    private readonly BatchRunner _runner = new();
    private readonly EmbeddingRunner _embedder = new();

    /// <summary>Wake ends the loop's wait for something to do; any thread may call it. Ended is told of each sequence once, before its caller is.</summary>
    public Scheduler(
        DeviceLoopOptions options, ByteBudget budget, LoopCounters counters, WaitingPlaces places, TimeProvider time, Action wake, Action<Sequence> ended, ILogger logger, EngineMeter meter)
    {
        (_options, _counters, _places, _time, _wake, _ended, _logger, _meter) = (options, counters, places, time, wake, ended, logger, meter);
        _shares = new CallerShares(options, time);
        Prefixes = new PrefixCache(options, budget, time);
        _admission = new Admission(options, budget, Prefixes, _shares, time, logger);
        _plan = new TurnPlan(options, _shares);
    }

    /// <summary>Told how many bytes the next sequence lacks.</summary>
    public Action<long>? OnStarved
    {
        get => _admission.OnStarved;
        set => _admission.OnStarved = value;
    }

    /// <summary>What callers said before.</summary>
    public PrefixCache Prefixes { get; }

    /// <summary>Takes a sequence that holds a waiting place.</summary>
    public void Add(Sequence sequence)
    {
        _meter.Arrived(sequence);
        sequence.Trace.Begin(EngineTraces.Wait);
        _admission.Add(sequence);
    }

    /// <summary>Drops everything that is known of a caller. What of its sequences still runs leaves nothing behind.</summary>
    public void Forget(string caller)
    {
        foreach (Sequence sequence in _running.Concat(_admission.Waiting.All).Where(sequence => sequence.Request.Caller == caller)) sequence.IsForgotten = true;
        Prefixes.Forget(caller);
        _shares.Forget(caller);
    }

    /// <summary>One turn. False: there was nothing to run.</summary>
    public bool Turn()
    {
        // 1. Free what is over, so that its slot and memory serve this very turn.
        EndOverdue();
        Prefixes.RemoveExpired();

        // 2. Give slots and memory to those who wait, and what is known of their prompts.
        while (_admission.Next(_running.Count) is Sequence sequence) Admit(sequence);
        _counters.PassedOver = _admission.Waiting.Count;

        // 3. Each model with work runs one batch.
        IReadOnlyList<ModelBatch> batches = _plan.Make(_running);
        foreach (ModelBatch batch in batches) Run(batch);
        if (batches.Count > 0) _counters.AddStep();
        return batches.Count > 0;
    }

    /// <summary>How long until a turn has something to do though nobody called; null: never.</summary>
    public TimeSpan? UntilDeadline()
    {
        TimeSpan? least = null;
        foreach (Sequence sequence in _admission.Waiting.All) Consider(Left(_options.WaitDeadline, sequence.StalledSince));
        foreach (Sequence sequence in _running) Consider(Left(_options.SlowReaderDeadline, sequence.StalledSince));
        Consider(_admission.UntilAsking());
        Consider(Prefixes.UntilExpiry());
        return least;

        TimeSpan? Left(TimeSpan deadline, long? since) => since is null ? null : deadline - _time.GetElapsedTime(since.Value);

        void Consider(TimeSpan? left)
        {
            if (least is null || left < least) least = left ?? least;
        }
    }

    /// <summary>Ends every sequence, and forgets everything: the loop stops.</summary>
    public void EndAll(Exception error)
    {
        _admission.Waiting.RemoveWhere(_ => true, sequence => EndWaiting(sequence, FinishReason.Failed, error));
        foreach (Sequence sequence in _running.ToArray()) End(sequence, FinishReason.Failed, error);
        Prefixes.Clear();
    }

    private void EndOverdue()
    {
        _admission.Waiting.RemoveWhere(sequence => sequence.IsCancelled, sequence => EndWaiting(sequence, FinishReason.Cancelled, null));
        _admission.Waiting.RemoveWhere(
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

    private void Admit(Sequence sequence)
    {
        _places.Give(sequence.Request.Caller);
        _counters.AddRunning(1);
        _counters.AddCacheBytes(sequence.CacheBytes);
        _running.Add(sequence);
        _meter.Admitted(sequence);
        sequence.Trace.Begin(EngineTraces.Prefill);
        try
        {
            sequence.Cache = sequence.Model.Decoder.CreateCache(sequence.CapacityTokens);
            // What the model makes of a prompt is not in the prefix cache, so a prompt that is looked at is run.
            if (sequence.Sums is null && sequence.Request.PromptTopLogprobs is null)
                sequence.CachedTokens = Prefixes.Fill(sequence.Cache, sequence.Model, sequence.Request.Caller, sequence.Request.PromptIds.AsMemory());
        }
        catch (Exception exception)
        {
            LogCacheFailed(exception, sequence.CacheBytes);
            End(sequence, FinishReason.Failed, exception);
        }
    }

    private void Run(ModelBatch batch)
    {
        // 4. One forward pass of what generates, and one of what embeds.
        if (batch.Generating.Count > 0 && TryForward(batch.Generating, () => _runner.Forward(batch.Model, batch.Generating)))
        {
            // 5. Whoever's prompt is complete gets a token.
            for (int i = 0; i < batch.Generating.Count; i++)
            {
                BatchEntry entry = batch.Generating[i];
                if (entry.Sequence.IsPrefilling) continue;
                if (entry.PromptTokens > 0)
                {
                    _meter.Prefilled(entry.Sequence);
                    entry.Sequence.Trace.Begin(EngineTraces.Decode);
                    Keep(entry.Sequence);
                }
                Emit(entry.Sequence, i);
            }
        }
        if (batch.Embedding.Count == 0 || !TryForward(batch.Embedding, () => _embedder.Forward(batch.Model, batch.Embedding))) return;
        foreach (BatchEntry entry in batch.Embedding)
        {
            if (entry.Sequence.IsPrefilling) continue;
            _meter.Prefilled(entry.Sequence);
            End(entry.Sequence, FinishReason.Stop, null);
        }
    }

    /// <summary>If a pass fails, what these caches hold is unknown: the batch ends, and nobody else.</summary>
    private bool TryForward(IReadOnlyList<BatchEntry> batch, Action forward)
    {
        try
        {
            forward();
            foreach (BatchEntry entry in batch) entry.Sequence.Trace.Step(_counters.Steps + 1, batch.Count, Math.Max(1, entry.PromptTokens));
            return true;
        }
        catch (Exception exception)
        {
            LogForwardFailed(exception, batch.Count);
            foreach (BatchEntry entry in batch) End(entry.Sequence, FinishReason.Failed, exception);
            return false;
        }
    }

    private void Emit(Sequence sequence, int row)
    {
        GeneratedToken? next;
        try
        {
            next = _runner.Sample(sequence, row);
        }
        catch (ModelOutputException exception)
        {
            LogSampleFailed(exception.Fault);
            End(sequence, FinishReason.Failed, exception);
            return;
        }
        if (next is not { } token || sequence.Request.StopIds.Contains(token.Id))
        {
            End(sequence, FinishReason.Stop, null);
            return;
        }
        sequence.LastToken[0] = token.Id;
        sequence.EmittedIds.Add(token.Id);
        _meter.Emitted(sequence);
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

    /// <summary>Lets the caller's next prompt begin where this text goes. It costs the sequence nothing if it fails.</summary>
    private void Keep(Sequence sequence)
    {
        if (sequence.Cache is null || sequence.Sums is not null || sequence.IsForgotten) return;
        try
        {
            int[] ids = [.. sequence.Request.PromptIds, .. sequence.EmittedIds];
            Prefixes.Keep(sequence.Cache, sequence.Model, sequence.Request.Caller, ids);
        }
        catch (Exception exception)
        {
            LogKeepFailed(exception);
        }
    }

    private void EndWaiting(Sequence sequence, FinishReason reason, Exception? error)
    {
        _places.Give(sequence.Request.Caller);
        Complete(sequence, reason, error);
    }

    /// <summary>Frees a running sequence's slot, cache and bytes, and only then tells its caller.</summary>
    private void End(Sequence sequence, FinishReason reason, Exception? error)
    {
        _running.Remove(sequence);
        if (sequence.StalledSince is not null) Resume(sequence);
        if (reason != FinishReason.Failed) Keep(sequence);
        sequence.Cache?.Dispose();
        sequence.Cache = null;
        _admission.Release(sequence);
        _counters.AddCacheBytes(-sequence.CacheBytes);
        _counters.AddRunning(-1);
        Complete(sequence, reason, error);
    }

    private void Complete(Sequence sequence, FinishReason reason, Exception? error)
    {
        _admission.Leave(sequence);
        _meter.Ended(sequence, reason);
        sequence.Trace.End(reason, sequence.EmittedTokens);
        _ended(sequence);
        LogEnded(reason == FinishReason.SlowReader ? LogLevel.Information : LogLevel.Debug, reason, sequence.EmittedTokens);
        sequence.Tokens.Writer.Complete();
        sequence.Completion.SetResult(new GenerationEnd(reason, sequence.EmittedTokens, error) { CachedTokens = sequence.CachedTokens });
    }

    [LoggerMessage(Message = "Generation ended: {Reason} after {Tokens} tokens")]
    private partial void LogEnded(LogLevel level, FinishReason reason, int tokens);

    [LoggerMessage(LogLevel.Error, "A forward pass failed; its {Sequences} sequences ended")]
    private partial void LogForwardFailed(Exception exception, int sequences);

    [LoggerMessage(LogLevel.Information, "Nothing can be made of a model's output: {Fault}")]
    private partial void LogSampleFailed(ModelOutputFault fault);

    [LoggerMessage(LogLevel.Error, "A cache of {Bytes} reserved bytes could not be allocated or filled")]
    private partial void LogCacheFailed(Exception exception, long bytes);

    [LoggerMessage(LogLevel.Warning, "The prefix cache could not keep a text")]
    private partial void LogKeepFailed(Exception exception);
}
