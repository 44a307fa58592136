using System.Diagnostics.Metrics;

namespace TinyLlm.Engine;

/// <summary>
/// What a device's loop tells operators, under the names that vLLM's dashboards and autoscalers know (docs.vllm.ai, "Production Metrics"). Instrument names can't hold a
/// colon, so "vllm." stands for "vllm:". No caller, model or prompt is a label. The loop's thread records, anyone observes.
/// </summary>
public sealed class EngineMeter : IDisposable
{
    /// <summary>The meter's name.</summary>
    public const string Name = "TinyLlm.Engine";

    // vLLM's own bounds, and below them finer ones: tiny models make a token in well under its first, 10 ms.
    private static readonly double[] s_tokenSeconds =
        [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80];

    private static readonly double[] s_requestSeconds =
        [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640, 2560];

    private static readonly long[] s_tokens = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000];

    private readonly Meter _meter = new(Name);
    private readonly TimeProvider _time;
    private readonly Counter<long> _promptTokens, _generationTokens, _prefixQueries, _prefixHits, _finished;
    private readonly Histogram<double> _firstToken, _interToken, _whole, _queue, _prefill, _decode;
    private readonly Histogram<long> _requestPrompt, _requestGeneration;

    /// <param name="time">The loop's clock.</param>
    internal EngineMeter(TimeProvider time)
    {
        _time = time;
        _promptTokens = _meter.CreateCounter<long>("vllm.prompt_tokens", description: "Tokens of prompts that were prefilled, those that the prefix cache knew counted.");
        _generationTokens = _meter.CreateCounter<long>("vllm.generation_tokens", description: "Tokens that were generated.");
        _prefixQueries = _meter.CreateCounter<long>("vllm.prefix_cache_queries", description: "Tokens of prompts that were looked for in the prefix cache.");
        _prefixHits = _meter.CreateCounter<long>("vllm.prefix_cache_hits", description: "Of those, tokens that it knew.");
        _finished = _meter.CreateCounter<long>("vllm.request_success", description: "Sequences that ended, by the reason.");
        _firstToken = Seconds("vllm.time_to_first_token", "From a sequence's arrival to its first token.", s_requestSeconds);
        _interToken = Seconds("vllm.inter_token_latency", "From one token of a sequence to its next.", s_tokenSeconds);
        _whole = Seconds("vllm.e2e_request_latency", "From a sequence's arrival to its end.", s_requestSeconds);
        _queue = Seconds("vllm.request_queue_time", "From a sequence's arrival to its slot.", s_requestSeconds);
        _prefill = Seconds("vllm.request_prefill_time", "From a sequence's slot to its first token.", s_requestSeconds);
        _decode = Seconds("vllm.request_decode_time", "From a sequence's first token to its last.", s_requestSeconds);
        _requestPrompt = Tokens("vllm.request_prompt_tokens", "Tokens of a sequence's prompt.");
        _requestGeneration = Tokens("vllm.request_generation_tokens", "Tokens that a sequence generated.");
    }

    /// <summary>From now on the loop's state can be observed.</summary>
    internal void Observe(Func<LoopSnapshot> snapshot)
    {
        _meter.CreateObservableGauge("vllm.num_requests_running", () => snapshot().RunningSequences, description: "Sequences that hold a slot on the device.");
        _meter.CreateObservableGauge("vllm.num_requests_waiting", () => snapshot().WaitingSequences, description: "Sequences that wait for a slot or for memory.");
        _meter.CreateObservableGauge("vllm.kv_cache_usage_perc", () => snapshot().CacheUsage, description: "Bytes of running caches, as a share of what caches could take now. 1 is all.");
    }

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    internal void Arrived(Sequence sequence) => sequence.Times = new SequenceTimes(_time.GetTimestamp());

    internal void Admitted(Sequence sequence)
    {
        sequence.Times.AdmittedAt = _time.GetTimestamp();
        _queue.Record(Elapsed(sequence.Times.ArrivedAt, sequence.Times.AdmittedAt));
    }

    /// <summary>A sequence's whole prompt is in its cache.</summary>
    internal void Prefilled(Sequence sequence)
    {
        sequence.Times.Prefill = _time.GetElapsedTime(sequence.Times.AdmittedAt);
        int tokens = sequence.Request.PromptIds.Length;
        _promptTokens.Add(tokens);
        _prefixQueries.Add(tokens);
        _prefixHits.Add(sequence.CachedTokens);
        _requestPrompt.Record(tokens);
    }

    internal void Emitted(Sequence sequence)
    {
        long now = _time.GetTimestamp();
        _generationTokens.Add(1);
        if (sequence.EmittedTokens == 1)
        {
            _firstToken.Record(Elapsed(sequence.Times.ArrivedAt, now));
            _prefill.Record(Elapsed(sequence.Times.AdmittedAt, now));
            sequence.Times.FirstTokenAt = now;
        }
        else
        {
            _interToken.Record(Elapsed(sequence.Times.LastTokenAt, now));
        }
        sequence.Times.LastTokenAt = now;
    }

    internal void Ended(Sequence sequence, FinishReason reason)
    {
        _finished.Add(1, new KeyValuePair<string, object?>("finished_reason", VllmReason(reason)));
        _whole.Record(Elapsed(sequence.Times.ArrivedAt, _time.GetTimestamp()));
        _requestGeneration.Record(sequence.EmittedTokens);
        if (sequence.EmittedTokens > 0) _decode.Record(Elapsed(sequence.Times.FirstTokenAt, sequence.Times.LastTokenAt));
    }

    /// <summary>vLLM's word for it.</summary>
    private static string VllmReason(FinishReason reason) => reason switch
    {
        FinishReason.Stop => "stop",
        FinishReason.Length => "length",
        FinishReason.Failed => "error",
        _ => "abort",
    };

    private double Elapsed(long from, long to) => _time.GetElapsedTime(from, to).TotalSeconds;

    private Histogram<double> Seconds(string name, string description, double[] bounds) =>
        _meter.CreateHistogram(name, "s", description, tags: null, new InstrumentAdvice<double> { HistogramBucketBoundaries = bounds });

    private Histogram<long> Tokens(string name, string description) =>
        _meter.CreateHistogram(name, unit: null, description, tags: null, new InstrumentAdvice<long> { HistogramBucketBoundaries = s_tokens });
}
