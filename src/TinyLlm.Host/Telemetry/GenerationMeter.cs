using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using TinyLlm.Grains.Errors;
using TinyLlm.Host.Errors;

namespace TinyLlm.Host.Telemetry;

/// <summary>
/// Requests to generate as the API sees them: OpenTelemetry's semantic conventions for model servers ("gen_ai.server.*", names, units and bounds as they say), and what was
/// refused. A model's name is its user's, so gen_ai.request.model is left out: it has no bound. Thread-safe.
/// </summary>
internal sealed class GenerationMeter : IDisposable
{
    public const string Name = "TinyLlm.Api";

    private static readonly double[] s_durationSeconds = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
    private static readonly double[] s_firstTokenSeconds = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
    private static readonly double[] s_perTokenSeconds = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5];

    private static readonly KeyValuePair<string, object?> s_provider = new("gen_ai.provider.name", "tinyllm");

    private readonly Meter _meter = new(Name);
    private readonly TimeProvider _time;
    private readonly Histogram<double> _duration, _firstToken, _perToken;
    private readonly ConcurrentDictionary<string, long> _refused;
    private int _unanswered;

    public GenerationMeter(TimeProvider time)
    {
        _time = time;
        _duration = Seconds("gen_ai.server.request.duration", "From a request to the last byte of its answer.", s_durationSeconds);
        _firstToken = Seconds("gen_ai.server.time_to_first_token", "From a request to the first token of its answer.", s_firstTokenSeconds);
        _perToken = Seconds("gen_ai.server.time_per_output_token", "Between the tokens of a whole answer, after the first.", s_perTokenSeconds);
        // Every code is there at zero from the start: of a series that begins at one, Prometheus' increase() says nothing, and an autoscaler would not see the first refusal.
        _refused = new(Enum.GetValues<RequestError>().Select(error => ErrorTable.Of(error).Code).Distinct().Select(code => KeyValuePair.Create(code, 0L)));
        _meter.CreateObservableCounter(
            "tinyllm.requests.refused",
            () => _refused.Select(refused => new Measurement<long>(refused.Value, new KeyValuePair<string, object?>("error", refused.Key))),
            description: "Requests that were refused, by the error's code. no_accelerator: there was no silo to generate on.");
        _meter.CreateObservableGauge("tinyllm.requests.unanswered", () => Volatile.Read(ref _unanswered), description: "Requests to generate without a first token: they wait for an accelerator, a model, or their turn.");
    }

    /// <summary>Times a request, of the operation that the conventions name so.</summary>
    public async Task<T> MeasureAsync<T>(string operation, Func<GenerationTimer, Task<T>> answer)
    {
        Interlocked.Increment(ref _unanswered);
        using GenerationTimer timer = new(this, _time, operation);
        try
        {
            return await answer(timer);
        }
        catch (Exception exception)
        {
            timer.Fail(exception);
            throw;
        }
    }

    /// <summary>The same without a result.</summary>
    public Task MeasureAsync(string operation, Func<GenerationTimer, Task> answer) => MeasureAsync(operation, async timer =>
    {
        await answer(timer);
        return true;
    });

    public void Refused(RequestError error) => _refused.AddOrUpdate(ErrorTable.Of(error).Code, 1, (_, count) => count + 1);

    public void Dispose() => _meter.Dispose();

    internal void Answered() => Interlocked.Decrement(ref _unanswered);

    internal void FirstToken(string operation, TimeSpan elapsed) => _firstToken.Record(elapsed.TotalSeconds, Operation(operation), s_provider);

    internal void Ended(string operation, TimeSpan elapsed, string? error)
    {
        if (error is null) _duration.Record(elapsed.TotalSeconds, Operation(operation), s_provider);
        else _duration.Record(elapsed.TotalSeconds, Operation(operation), s_provider, new("error.type", error));
    }

    internal void PerToken(string operation, TimeSpan elapsed) => _perToken.Record(elapsed.TotalSeconds, Operation(operation), s_provider);

    private static KeyValuePair<string, object?> Operation(string name) => new("gen_ai.operation.name", name);

    private Histogram<double> Seconds(string name, string description, double[] bounds) =>
        _meter.CreateHistogram(name, "s", description, tags: null, new InstrumentAdvice<double> { HistogramBucketBoundaries = bounds });
}
