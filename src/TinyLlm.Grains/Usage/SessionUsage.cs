using System.Diagnostics;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Sessions;

namespace TinyLlm.Grains.Usage;

/// <summary>Counts one answer as it goes: each token before it is handed on, so that what a client received was counted.</summary>
internal sealed class SessionUsage(UsageMeter meter, ModelLease lease)
{
    private readonly UsageAccount _account = new(lease.Caller, lease.Owner, lease.Model);
    private long _since = Stopwatch.GetTimestamp();
    private bool _isBegun;

    /// <summary>The prompt is computed, which took so long.</summary>
    public void Admitted(int promptTokens, TimeSpan prefillTime) => Record(new UsageCount { Requests = 1, PromptTokens = promptTokens, ModelTime = prefillTime });

    /// <summary>One text of a request for embeddings is computed: what was done is counted, also when the request then ends early.</summary>
    public void Embedded(int promptTokens)
    {
        Record(new UsageCount { Requests = _isBegun ? 0 : 1, PromptTokens = promptTokens });
        _isBegun = true;
    }

    public void Count(SessionEvent item)
    {
        if (item is SessionDelta { Ids.Length: > 0 } delta) Record(new UsageCount { CompletionTokens = delta.Ids.Length });
        else if (item is SessionEnded ended) Record(new UsageCount { CachedTokens = ended.CachedTokens });
    }

    private void Record(UsageCount count)
    {
        long now = Stopwatch.GetTimestamp();
        TimeSpan held = Stopwatch.GetElapsedTime(_since, now);
        _since = now;
        meter.Record(_account, count with { ModelTime = count.ModelTime + held });
    }
}
