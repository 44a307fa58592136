using System.Diagnostics;

namespace TinyLlm.Engine;

/// <summary>
/// A sequence's part of its request's trace: a span while it waits, one for its prompt and one for its answer, with an event for each step of the loop that ran it.
/// Counts alone, never an id or a text. Does nothing where the request is not traced. The loop's thread owns it.
/// </summary>
internal sealed class SequenceTrace(ActivityContext parent)
{
    private static readonly ActivitySource s_source = new(EngineTraces.SourceName);

    private readonly bool _isTraced = parent != default && s_source.HasListeners();
    private Activity? _span;

    /// <summary>Ends the span that is open, and opens the next.</summary>
    public void Begin(string name)
    {
        End();
        if (!_isTraced) return;
        Activity? current = Activity.Current;
        _span = s_source.StartActivity(name, ActivityKind.Internal, parent);
        Activity.Current = current; // the loop's thread serves everybody: nothing runs "inside" this span
    }

    /// <summary>A step of the loop ran it.</summary>
    public void Step(long step, int batch, int tokens)
    {
        if (_span is not { IsAllDataRequested: true } span) return;
        span.AddEvent(new ActivityEvent("engine.step", tags: new ActivityTagsCollection
        {
            ["tinyllm.step"] = step,
            ["tinyllm.batch_sequences"] = batch,
            ["tinyllm.tokens"] = tokens,
        }));
    }

    public void End(FinishReason? reason = null, int emittedTokens = 0)
    {
        if (_span is null) return;
        if (reason is not null) _span.SetTag("tinyllm.finish_reason", reason.ToString()).SetTag("gen_ai.usage.output_tokens", emittedTokens);
        if (reason == FinishReason.Failed) _span.SetStatus(ActivityStatusCode.Error);
        Activity? current = Activity.Current;
        _span.Dispose();
        Activity.Current = current;
        _span = null;
    }
}
