using Microsoft.Extensions.Logging;

namespace TinyLlm.Engine;

/// <summary>
/// One device's loop: a dedicated thread that owns every tensor of the device and runs all sequences of all its models together.
/// Callers meet it through commands and channels only. A model that is being loaded is not the loop's yet, so a load delays no turn. Owns the backend.
/// </summary>
public sealed partial class DeviceLoop : IAsyncDisposable
{
    private readonly IDecoderBackend _backend;
    private readonly DeviceLoopOptions _options;
    private readonly ILogger<DeviceLoop> _logger;
    private readonly LoopCounters _counters = new();
    private readonly WaitingPlaces _places;
    private readonly Scheduler _scheduler;
    private readonly AutoResetEvent _signal = new(false);
    private readonly EngineMeter _meter;
    private readonly ITimer _timer;
    private readonly Thread _thread;
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SemaphoreSlim _loading = new(1); // one load at a time; never disposed: it holds nothing, and a late load may still ask
    private readonly List<ResidentModel> _models = []; // under the lock
    private readonly Lock _lock = new();
    private List<Command> _inbox = [];
    private bool _isStopping;

    /// <summary>Starts the thread.</summary>
    public DeviceLoop(IDecoderBackend backend, DeviceLoopOptions options, TimeProvider time, ILogger<DeviceLoop> logger)
    {
        ArgumentNullException.ThrowIfNull(backend);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        (_backend, _options, _logger) = (backend, options, logger);
        Budget = new ByteBudget(backend.Device.BudgetBytes) { Released = Wake };
        _places = new WaitingPlaces(options);
        _meter = new EngineMeter(time);
        _scheduler = new Scheduler(options, Budget, _counters, _places, time, Wake, Forget, logger, _meter);
        _meter.Observe(Snapshot);
        _timer = time.CreateTimer(_ => Wake(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _thread = new Thread(Run) { IsBackground = true, Name = $"engine {backend.Device.Kind}" };
        _thread.Start();
    }

    /// <summary>What it computes on.</summary>
    public EngineDeviceInfo Device => _backend.Device;

    /// <summary>Sequences of one model that decode in one turn at the most; more of them take turns.</summary>
    public int MaxBatch => _options.MaxBatch;

    /// <summary>The device's memory. Whoever loads a model reserves its weights before and releases them after unloading; the loop reserves caches.</summary>
    public ByteBudget Budget { get; }

    /// <summary>
    /// Called on the loop's thread, so it must not block, with the bytes that the next sequence lacks: when it begins to lack them, when the
    /// number changes, and every second until it has them.
    /// </summary>
    public Action<long>? OnStarved
    {
        get => _scheduler.OnStarved;
        set => _scheduler.OnStarved = value;
    }

    /// <summary>Bytes that a model's weights will occupy once loaded.</summary>
    public long WeightBytes(DecoderConfig config) => _backend.WeightBytes(config);

    /// <summary>
    /// Makes a checkpoint resident, on a thread of its own: sequences of other models go on meanwhile. The caller has reserved its
    /// <see cref="WeightBytes"/> on <see cref="Budget"/>, and may dispose it afterwards. A load that has begun is not cancelled.
    /// </summary>
    public Task<ResidentModel> LoadAsync(Checkpoint checkpoint, CancellationToken cancellationToken) => LoadAsync(
        checkpoint,
        static load => Task.Factory.StartNew(load, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default),
        cancellationToken);

    /// <summary>The same on a thread that <paramref name="run"/> finds: it blocks that thread, and takes the processors.</summary>
    public async Task<ResidentModel> LoadAsync(Checkpoint checkpoint, Func<Func<IDecoder>, Task<IDecoder>> run, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        ArgumentNullException.ThrowIfNull(run);
        await _loading.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            lock (_lock) ObjectDisposedException.ThrowIf(_isStopping, this);
            IDecoder decoder = await run(() => _backend.Load(checkpoint)).ConfigureAwait(false);
            ResidentModel model = Keep(decoder);
            LogLoaded(model.Config.Architecture, model.WeightBytes);
            return model;
        }
        finally
        {
            _loading.Release();
        }
    }

    /// <summary>Frees a model's weights. Afterwards the caller releases its bytes on <see cref="Budget"/>.</summary>
    /// <exception cref="InvalidOperationException">A sequence still uses it, or it is unloaded.</exception>
    public async Task UnloadAsync(ResidentModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        lock (_lock)
        {
            if (model.IsUnloaded) throw new InvalidOperationException("the model is already unloaded");
            if (model.Sequences > 0) throw new InvalidOperationException($"{model.Sequences} sequences use the model: end them first");
            model.IsUnloaded = true;
        }
        await Post(
            () =>
            {
                lock (_lock) _models.Remove(model);
                _scheduler.Prefixes.Forget(model);
                return model;
            }).ConfigureAwait(false);
        model.Decoder.Dispose(); // not on the loop's thread: to give back a gigabyte takes the system as long as some tokens
    }

    /// <summary>Reserves bytes on <see cref="Budget"/>, all or nothing; the prefix cache makes room if need be, between two turns.</summary>
    public async Task<bool> TryReserveAsync(long bytes)
    {
        if (Budget.TryReserve(bytes)) return true;
        if (_scheduler.Prefixes.Bytes == 0) return false;
        return await Post(() => _scheduler.Prefixes.TryReserve(bytes)).ConfigureAwait(false);
    }

    /// <summary>Drops what the device remembers of a caller's texts; sequences that still run leave nothing behind either.</summary>
    public Task ForgetAsync(string caller)
    {
        ArgumentNullException.ThrowIfNull(caller);
        return Post(
            () =>
            {
                _scheduler.Forget(caller);
                return caller;
            });
    }

    /// <summary>Bytes of what the device remembers of a caller's texts, and of anybody's on one of the models.</summary>
    public Task<long> PrefixBytesAsync(string caller, IReadOnlyCollection<ResidentModel> models)
    {
        ArgumentNullException.ThrowIfNull(caller);
        ArgumentNullException.ThrowIfNull(models);
        return Post(() => _scheduler.Prefixes.BytesOf(caller, models));
    }

    /// <summary>Queues a sequence.</summary>
    /// <exception cref="EngineBusyException">The waiting queue is full, or this caller's share of it.</exception>
    /// <exception cref="ArgumentException">The request does not fit the model or can never fit the device.</exception>
    public Generation Start(ResidentModel model, GenerationRequest request)
    {
        ArgumentNullException.ThrowIfNull(model);
        int capacityTokens = RequestCheck.CapacityTokens(model, request, Budget.LimitBytes);
        Sequence sequence = new(model, request, capacityTokens, _options.ChannelTokens, Wake);
        Queue(sequence);
        return new Generation(sequence);
    }

    /// <summary>Queues a text to embed.</summary>
    /// <exception cref="EngineBusyException">The waiting queue is full, or this caller's share of it.</exception>
    /// <exception cref="ArgumentException">The text does not fit the model or can never fit the device.</exception>
    public EmbeddingRun Embed(ResidentModel model, EmbeddingRequest request)
    {
        ArgumentNullException.ThrowIfNull(model);
        RequestCheck.CheckEmbedding(model, request, Budget.LimitBytes);
        double[] sums = new double[model.Config.HiddenSize];
        Sequence sequence = new(model, new GenerationRequest { PromptIds = request.Ids, MaxNewTokens = 1, Caller = request.Caller }, request.Ids.Length, channelTokens: 1, Wake)
        {
            Sums = sums,
        };
        Queue(sequence);
        return new EmbeddingRun(sequence, sums);
    }

    /// <summary>The counters now.</summary>
    public LoopSnapshot Snapshot()
    {
        long reservedBytes = Budget.ReservedBytes, prefixBytes = _scheduler.Prefixes.Bytes, cacheBytes = _counters.CacheBytes;
        long roomBytes = cacheBytes + prefixBytes + Budget.LimitBytes - reservedBytes; // counted one after the other, so it may be a step off
        return new LoopSnapshot(_counters.Steps, _counters.Running, _places.Taken, _counters.Paused, reservedBytes, _backend.LiveTensors, prefixBytes)
        {
            PassedOverSequences = _counters.PassedOver,
            CacheBytes = cacheBytes,
            CacheUsage = roomBytes <= 0 ? 1 : Math.Min(1, (double)cacheBytes / roomBytes),
        };
    }

    /// <summary>Ends every sequence as Failed, frees every model and the backend, and waits for the thread.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_lock) _isStopping = true;
        Wake();
        await _stopped.Task.ConfigureAwait(false);
    }

    /// <summary>From here on the loop's thread alone uses it, until it is unloaded.</summary>
    private ResidentModel Keep(IDecoder decoder)
    {
        lock (_lock)
        {
            if (!_isStopping)
            {
                ResidentModel model = new(decoder);
                _models.Add(model);
                return model;
            }
        }
        decoder.Dispose(); // nobody has seen it
        throw new ObjectDisposedException(nameof(DeviceLoop));
    }

    private void Queue(Sequence sequence)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isStopping, this);
            if (sequence.Model.IsUnloaded) throw new InvalidOperationException("the model is unloaded");
            _places.Take(sequence.Request.Caller);
            sequence.Model.Sequences++;
            _inbox.Add(new Command(() => _scheduler.Add(sequence), _ => _scheduler.Add(sequence)));
        }
        Wake();
    }

    private Task<T> Post<T>(Func<T> work)
    {
        TaskCompletionSource<T> done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Command command = new(Work, exception => done.TrySetException(exception));
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isStopping, this);
            _inbox.Add(command);
        }
        Wake();
        return done.Task;

        void Work()
        {
            try
            {
                done.SetResult(work());
            }
            catch (OperationCanceledException exception)
            {
                done.SetCanceled(exception.CancellationToken);
            }
            catch (Exception exception)
            {
                done.SetException(exception);
            }
        }
    }

    private void Wake() => _signal.Set();

    private void Forget(Sequence sequence)
    {
        lock (_lock) sequence.Model.Sequences--;
    }

    private void Run()
    {
        Exception end = new ObjectDisposedException(nameof(DeviceLoop), "the engine stopped");
        try
        {
            while (TakeCommands())
            {
                if (_scheduler.Turn()) continue;
                if (IsDue()) continue;
                _signal.WaitOne();
            }
        }
        catch (Exception exception)
        {
            LogDied(exception);
            end = exception;
        }
        finally
        {
            Stop(end);
        }
    }

    /// <summary>Sets the alarm for the next deadline. True: it has come. The clock may pass it before the alarm is set, so it is read again after.</summary>
    private bool IsDue()
    {
        if (_scheduler.UntilDeadline() is not TimeSpan left) return false;
        if (left > TimeSpan.Zero) _timer.Change(left, Timeout.InfiniteTimeSpan);
        return _scheduler.UntilDeadline() <= TimeSpan.Zero;
    }

    /// <summary>False: the loop must stop.</summary>
    private bool TakeCommands()
    {
        List<Command> commands;
        lock (_lock)
        {
            if (_isStopping) return false;
            if (_inbox.Count == 0) return true;
            (commands, _inbox) = (_inbox, []);
        }
        foreach (Command command in commands) command.Run();
        return true;
    }

    private void Stop(Exception end)
    {
        List<Command> commands;
        lock (_lock)
        {
            _isStopping = true;
            (commands, _inbox) = (_inbox, []);
        }
        foreach (Command command in commands) command.Fail(end);
        _scheduler.EndAll(end);
        // A load that is under way uses the backend, and sees that it came too late; so does whoever waits behind it.
        _loading.Wait();
        _loading.Release();
        foreach (ResidentModel model in _models) model.Decoder.Dispose();
        _backend.Dispose();
        _meter.Dispose();
        _timer.Dispose();
        _stopped.SetResult();
    }

    [LoggerMessage(LogLevel.Information, "Loaded a {Architecture} of {WeightBytes} bytes")]
    private partial void LogLoaded(string architecture, long weightBytes);

    [LoggerMessage(LogLevel.Critical, "The engine's loop died; every sequence ended")]
    private partial void LogDied(Exception exception);

    /// <summary>Work for the loop's thread, or what to do with it when the loop stops first.</summary>
    private readonly record struct Command(Action Run, Action<Exception> Fail);
}
