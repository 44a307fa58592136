using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using TinyLlm.Engine;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Placement;
using TinyLlm.Grains.Telemetry;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Residency;

/// <summary>
/// The models in the memory of one silo's accelerator. One load per version however many ask (single flight), a count of holders, and bytes
/// reserved before they are taken. What does not fit evicts models that nobody holds, those least used for their bytes first and no more than
/// needed; what still does not fit is refused with a time to retry. Models go by themselves when their time is over, and pinned ones never.
/// Knows no user rules: who may use a model was decided before.
/// </summary>
public sealed partial class ModelHost : IDisposable
{
    private readonly Lock _gate = new();

    private readonly CancellationTokenSource _stopping = new();
    private readonly Dictionary<VersionId, Entry> _entries = [];
    private readonly HashSet<Entry> _leaving = []; // out of the tables, and not yet out of memory
    private readonly EvictionOrder<VersionId> _order = new();
    private readonly RoomRule<VersionId> _room;
    private readonly HostTier? _tier; // null: the device has no memory of its own, or none beside it is given
    private readonly ModelLoader _loader;
    private readonly DeviceLoop _loop;
    private readonly TimeProvider _time;
    private readonly ResidencyMeter _meter;
    private readonly ResidencyOptions _options;
    private readonly ILogger<ModelHost> _logger;

    private sealed class Entry(VersionAddress address)
    {
        public VersionAddress Address { get; } = address;

        public required Task<LoadedModel> Loading { get; set; }

        /// <summary>What it takes of its owner's bound; 0 until that is known.</summary>
        public long CountedBytes { get; set; }

        public int Holds { get; set; }

        /// <summary>When it was last taken or let go, as a timestamp.</summary>
        public long UsedAt { get; set; }

        /// <summary>Whether <see cref="KeepAlive"/> was ever decided.</summary>
        public bool IsSettled { get; set; }

        /// <summary>What its owner set for it, as the last lease said.</summary>
        public KeepAlive? Setting { get; set; }

        /// <summary>How long it stays; null: until its room is needed.</summary>
        public KeepAlive? KeepAlive { get; set; }

        /// <summary>Nothing drives it out but its owner.</summary>
        public bool IsPinned { get; set; }

        /// <summary>Its owner deleted it: nobody new gets it, and it goes when the last holder has.</summary>
        public bool IsDropped { get; set; }

        /// <summary>Ends what runs on it.</summary>
        public CancellationTokenSource Cut { get; } = new();

        public bool IsIdle => Holds == 0 && Loading.IsCompletedSuccessfully;
    }

    /// <param name="store">Where the models lie.</param>
    /// <param name="loop">The accelerator's loop; its budget is shared between weights, which are reserved here, and caches.</param>
    /// <param name="options">How long models stay.</param>
    /// <param name="time">What ages and durations are told by.</param>
    /// <param name="logger">Tells loads and evictions, by id.</param>
    public ModelHost(ModelFiles store, DeviceLoop loop, IOptions<ResidencyOptions> options, TimeProvider time, ILogger<ModelHost> logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        long hostBytes = options.Value.HostBudgetBytes ?? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4;
        if (loop.Device.Kind != ModelLoader.CpuKind && hostBytes > 0) _tier = new HostTier(hostBytes);
        _room = new RoomRule<VersionId>(_order);
        _loader = new ModelLoader(store, loop, _tier);
        _loop = loop;
        _options = options.Value;
        _time = time;
        _expiry = time.CreateTimer(_ => Expire(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _logger = logger;
        _meter = new ResidencyMeter(Snapshot);
        loop.OnStarved = OnStarved;
    }

    /// <summary>
    /// How many requests for a version another accelerator would serve sooner: those that this one has no place for, or those beyond what a batch takes of one model, which
    /// all run, but by turns. Those that wait for a turn to end, and then have their place, are none.
    /// </summary>
    internal int QueuedRequests(VersionId version)
    {
        lock (_gate)
        {
            int held = _entries.GetValueOrDefault(version)?.Holds ?? 0;
            return Math.Max(_loop.Snapshot().PassedOverSequences, held - _loop.MaxBatch);
        }
    }

    /// <summary>Whether a version is in memory now.</summary>
    internal bool IsResident(VersionId version)
    {
        lock (_gate) return _entries.TryGetValue(version, out Entry? entry) && entry.Loading.IsCompletedSuccessfully;
    }

    /// <summary>What the accelerator holds and does, for operators and tests.</summary>
    public ResidencySnapshot Snapshot()
    {
        lock (_gate)
        {
            LoopSnapshot engine = _loop.Snapshot();
            return new ResidencySnapshot(
                _entries.Values.Count(entry => entry.Loading.IsCompletedSuccessfully),
                _entries.Values.Sum(entry => entry.Holds),
                engine.RunningSequences,
                engine.WaitingSequences,
                engine.ReservedBytes,
                _loop.Budget.LimitBytes);
        }
    }

    /// <summary>
    /// The model in memory, loading it if need be. A caller that gives up leaves the load to the others. Throws
    /// <see cref="RequestException"/> with <see cref="RequestError.NoCapacity"/> when it does not fit.
    /// </summary>
    internal Task<ResidentHold> AcquireAsync(VersionAddress address, CancellationToken cancellationToken) => AcquireAsync(address, Stay.Unsaid, cancellationToken);

    /// <summary>The same for a request that may say how long the model stays.</summary>
    internal async Task<ResidentHold> AcquireAsync(VersionAddress address, Stay stay, CancellationToken cancellationToken) =>
        await TryAcquireAsync(address, stay, ServingPlace.Any, null, cancellationToken) ?? throw new InvalidOperationException("A model was declined that had to be taken.");

    /// <summary>The same where the model may be declined, to be asked for elsewhere; then null.</summary>
    /// <param name="address">Which.</param>
    /// <param name="stay">How long.</param>
    /// <param name="place">As what this silo is asked.</param>
    /// <param name="modelBytes">About what the model takes; null: not known, and then it is not declined.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    internal async Task<ResidentHold?> TryAcquireAsync(VersionAddress address, Stay stay, ServingPlace place, long? modelBytes, CancellationToken cancellationToken)
    {
        if (TryHold(address, stay, place, modelBytes) is not { } entry) return null;
        try
        {
            LoadedModel model = await entry.Loading.WaitAsync(cancellationToken);
            lock (_gate) Apply(entry, stay);
            return new ResidentHold(model, _loop, () => Release(entry), entry.Cut.Token);
        }
        catch
        {
            Release(entry);
            throw;
        }
    }

    /// <summary>
    /// Drops what an owner deleted, those versions or all: idle models go at once, running answers are cut and the models go after them, and what
    /// is being loaded goes when it is there. The files must be gone before, or a lease that is still good would bring them back.
    /// </summary>
    internal async Task DropAsync(UserId owner, IReadOnlyCollection<VersionId>? versions)
    {
        Entry[] dropped;
        Entry[] idle;
        lock (_gate)
        {
            dropped = [.. _entries.Values.Where(entry => entry.Address.Owner == owner && versions?.Contains(entry.Address.Version) != false)];
            foreach (Entry entry in dropped) entry.IsDropped = true;
            idle = [.. dropped.Where(TryTakeOut)];
        }
        _tier?.Drop(owner, versions);
        foreach (Entry entry in dropped) await entry.Cut.CancelAsync();
        foreach (Entry entry in idle) await UnloadDroppedAsync(entry);
        if (versions is null) await _loop.ForgetAsync(owner.Value);
    }

    /// <summary>What of an owner's is in memory: models, those counted that are being loaded or unloaded, and what is remembered of prompts.</summary>
    internal async Task<ResidentBytes> MeasureAsync(UserId owner)
    {
        Entry[] resident;
        LoadedModel[] loaded;
        lock (_gate)
        {
            resident = [.. _entries.Values.Concat(_leaving).Where(entry => entry.Address.Owner == owner)];
            loaded = [.. resident.Where(entry => entry.Loading.IsCompletedSuccessfully).Select(entry => entry.Loading.Result)];
        }
        long prefixBytes = await _loop.PrefixBytesAsync(owner.Value, [.. loaded.Select(model => model.Weights)]);
        return new ResidentBytes { Models = resident.Length, Bytes = loaded.Sum(model => model.ReservedBytes), PrefixBytes = prefixBytes, HostBytes = _tier?.Measure(owner) ?? 0 };
    }

    /// <summary>What the accelerator holds and does, model by model.</summary>
    internal DeviceReport Describe()
    {
        LoopSnapshot engine = _loop.Snapshot();
        lock (_gate)
        {
            return new DeviceReport
            {
                Kind = _loop.Device.Kind,
                Name = _loop.Device.Name,
                BudgetBytes = _loop.Budget.LimitBytes,
                UsedBytes = engine.ReservedBytes,
                Running = engine.RunningSequences,
                Waiting = engine.WaitingSequences,
                HostBudgetBytes = _tier?.BudgetBytes ?? 0,
                HostBytes = _tier?.Bytes ?? 0,
                Models = [.. _entries.Values.Where(entry => entry.Loading.IsCompletedSuccessfully).OrderByDescending(entry => entry.UsedAt).Select(Report)],
            };
        }
    }

    /// <summary>Ends loads that are under way.</summary>
    public void Dispose()
    {
        if (_stopping.IsCancellationRequested) return;
        _stopping.Cancel(); // and not disposed: a load that begins now looks at it
        _evicting.Dispose();
        _expiry.Dispose();
        _meter.Dispose();
    }

    private ResidentReport Report(Entry entry) => new()
    {
        Model = entry.Address.Model,
        Version = entry.Address.Version,
        Bytes = ReservedBytes(entry),
        Precision = entry.Loading.Result.Weights.Precision.ToString().ToLowerInvariant(),
        Streams = entry.Holds,
        ExpiresAt = ExpiresAt(entry),
        Pinned = entry.IsPinned,
    };

    /// <summary>Null: declined.</summary>
    private Entry? TryHold(VersionAddress address, Stay stay, ServingPlace place, long? modelBytes)
    {
        lock (_gate)
        {
            _order.Use(address.Version);
            bool isKnown = _entries.TryGetValue(address.Version, out Entry? entry);
            if (!isKnown)
            {
                if (modelBytes is { } bytes && Declines(address.Version, stay, place, bytes))
                {
                    _meter.Declined();
                    return null;
                }
                // Started off the grain's scheduler, and observed by every caller that awaits it; a failed one is forgotten at once.
                entry = new Entry(address) { Loading = Task.FromException<LoadedModel>(new InvalidOperationException()) };
                _entries.Add(address.Version, entry);
                Entry started = entry;
                entry.Loading = Task.Run(() => LoadAsync(started));
            }
            if (entry!.Address != address || entry.IsDropped) throw RequestException.NotFound("model"); // known or made
            if (isKnown) _meter.Hit();
            else _meter.Missed();
            entry.Holds++;
            entry.UsedAt = _time.GetTimestamp();
            return entry;
        }
    }

    private void Release(Entry entry)
    {
        lock (_gate)
        {
            entry.Holds--;
            entry.UsedAt = _time.GetTimestamp();
            if (!entry.IsDropped) AwaitExpiry(entry);
            if (!entry.IsDropped || !TryTakeOut(entry)) return;
        }
        // Nobody awaits it: what it fails at is logged.
        _ = Task.Run(() => UnloadDroppedAsync(entry));
    }

    /// <summary>Takes an idle entry out of the tables; its caller unloads it.</summary>
    private bool TryTakeOut(Entry entry)
    {
        if (!entry.IsIdle || _entries.GetValueOrDefault(entry.Address.Version) != entry) return false;
        TakeOut(entry);
        return true;
    }

    private void TakeOut(Entry entry)
    {
        _entries.Remove(entry.Address.Version);
        _order.Remove(entry.Address.Version);
        _leaving.Add(entry);
    }

    private async Task UnloadAsync(Entry entry)
    {
        await _loader.UnloadAsync(await entry.Loading);
        lock (_gate) _leaving.Remove(entry);
    }

    private async Task UnloadDroppedAsync(Entry entry)
    {
        try
        {
            await UnloadAsync(entry);
            LogDropped(_logger, entry.Address.Version);
        }
        catch (Exception exception)
        {
            LogDropFailed(_logger, entry.Address.Version, exception);
        }
    }

    private async Task<LoadedModel> LoadAsync(Entry entry)
    {
        using Activity? span = GrainTraces.Source.StartActivity("model.load");
        span?.SetTag("tinyllm.version", entry.Address.Version.Value);
        long begun = _time.GetTimestamp();
        bool isLoaded = false;
        try
        {
            LoadedModel model = await _loader.LoadAsync(entry.Address, bytes => ReserveAsync(entry, bytes), _stopping.Token);
            isLoaded = true;
            LogLoaded(_logger, entry.Address.Version, model.Weights.WeightBytes);
            bool isDropped;
            lock (_gate)
            {
                isDropped = entry.IsDropped;
                entry.CountedBytes = model.ReservedBytes;
                if (!isDropped) _order.Add(entry.Address.Version, model.ReservedBytes);
            }
            if (!isDropped) return model;
            _tier?.Drop(entry.Address.Owner, [entry.Address.Version]); // the load has put it there since
            await _loader.UnloadAsync(model);
            throw RequestException.NotFound("model");
        }
        catch (Exception exception)
        {
            lock (_gate) _entries.Remove(entry.Address.Version);
            // The owner deleted the version after the lease was given: from now on it is one that does not exist.
            if (exception is StoreException { Error: StoreError.NotFound }) throw RequestException.NotFound("model");
            if (exception is not StoreException { Error: StoreError.Damaged }) throw;
            LogDamaged(_logger, entry.Address.Version, exception);
            throw Damaged();
        }
        finally
        {
            if (!isLoaded) span?.SetStatus(ActivityStatusCode.Error);
            _meter.Loaded(_time.GetElapsedTime(begun), isLoaded);
        }
    }

    /// <summary>The one answer where what is stored is not what was signed.</summary>
    internal static RequestException Damaged() =>
        new(RequestError.ModelDamaged, "The stored model is not what was published: its owner must upload it again.");

    [LoggerMessage(Level = LogLevel.Information, Message = "Loaded version {Version}: {Bytes} bytes of weights")]
    private static partial void LogLoaded(ILogger logger, VersionId version, long bytes);

    [LoggerMessage(Level = LogLevel.Information, Message = "Dropped version {Version}: its owner deleted it")]
    private static partial void LogDropped(ILogger logger, VersionId version);

    [LoggerMessage(Level = LogLevel.Error, Message = "Dropping version {Version}, which its owner deleted, failed")]
    private static partial void LogDropFailed(ILogger logger, VersionId version, Exception exception);

    [LoggerMessage(Level = LogLevel.Error, Message = "Version {Version} is damaged in the store")]
    private static partial void LogDamaged(ILogger logger, VersionId version, Exception exception);
}
