using System.Diagnostics.Metrics;

namespace TinyLlm.Grains.Residency;

/// <summary>
/// What one silo's memory of many models tells operators, after ModelMesh's example: whether requests find their model, how long a load takes and waits for room, and how
/// long ago a model was used that had to go. Models and owners are no labels: their number has no bound. Thread-safe.
/// </summary>
public sealed class ResidencyMeter : IDisposable
{
    /// <summary>The meter's name.</summary>
    public const string Name = "TinyLlm.Residency";

    private static readonly double[] s_loadSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];
    private static readonly double[] s_ageSeconds = [1, 5, 15, 60, 300, 900, 3600, 14400, 86400, 604800];

    private readonly Meter _meter = new(Name);
    private readonly Counter<long> _hits, _misses, _declined;
    private readonly Histogram<double> _load, _queueDelay, _age;

    internal ResidencyMeter(Func<ResidencySnapshot> snapshot)
    {
        _meter.CreateObservableGauge("tinyllm.models.resident", () => snapshot().Models, description: "Models in memory.");
        _meter.CreateObservableGauge("tinyllm.device.reserved", () => snapshot().ReservedBytes, "By", "Bytes of weights and caches.");
        _meter.CreateObservableGauge("tinyllm.device.budget", () => snapshot().BudgetBytes, "By", "Their bound.");
        _hits = _meter.CreateCounter<long>("tinyllm.models.cache_hits", description: "Requests whose model was in memory or on its way there.");
        _misses = _meter.CreateCounter<long>("tinyllm.models.cache_misses", description: "Requests whose model had to be loaded.");
        _declined = _meter.CreateCounter<long>("tinyllm.models.declined", description: "Requests sent on to another silo, because their model was not worth its room here.");
        _load = Seconds("tinyllm.model.load.duration", "From the request that missed its model to the model, or to the load's failure.", s_loadSeconds);
        _queueDelay = Seconds("tinyllm.model.load.queue_delay", "The part of a load in which it waited for room.", s_loadSeconds);
        _age = Seconds("tinyllm.model.age_at_eviction", "How long a model had not been used when it was evicted.", s_ageSeconds);
    }

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    internal void Hit() => _hits.Add(1);

    internal void Missed() => _misses.Add(1);

    internal void Declined() => _declined.Add(1);

    internal void Loaded(TimeSpan duration, bool succeeded) =>
        _load.Record(duration.TotalSeconds, new KeyValuePair<string, object?>("outcome", succeeded ? "loaded" : "failed"));

    internal void Waited(TimeSpan duration) => _queueDelay.Record(duration.TotalSeconds);

    internal void Evicted(TimeSpan unused) => _age.Record(unused.TotalSeconds);

    private Histogram<double> Seconds(string name, string description, double[] bounds) =>
        _meter.CreateHistogram(name, "s", description, tags: null, new InstrumentAdvice<double> { HistogramBucketBoundaries = bounds });
}
