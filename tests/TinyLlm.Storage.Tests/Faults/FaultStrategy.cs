using Polly;

namespace TinyLlm.Storage.Tests.Faults;

/// <summary>Stands between a store's retries and the disk or service, where a cable would be, and breaks accesses as it is told.</summary>
/// <param name="error">What a broken access throws: something that the backing throws when its disk or service fails for a moment.</param>
/// <param name="next">The fate of each access.</param>
internal sealed class FaultStrategy(Func<Exception> error, Func<ResilienceContext, Fault> next) : ResilienceStrategy
{
    private int accesses;

    /// <summary>Accesses so far, broken ones included.</summary>
    public int Accesses => Volatile.Read(ref accesses);

    /// <summary>Called when an access has done its work and before its answer is lost.</summary>
    public Func<Task>? WhenLost { get; set; }

    /// <summary>Puts it into a store.</summary>
    public FaultStrategy Into(ObjectStore store)
    {
        store.Attempts = new ResiliencePipelineBuilder().AddPipeline(store.Attempts).AddStrategy(_ => this, new Options()).Build();
        return this;
    }

    protected override async ValueTask<Outcome<TResult>> ExecuteCore<TResult, TState>(
        Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback, ResilienceContext context, TState state)
    {
        Interlocked.Increment(ref accesses);
        Fault fault = next(context);
        if (fault == Fault.Before) return Outcome.FromException<TResult>(error());
        if (fault == Fault.Slow) await Task.Yield();
        Outcome<TResult> outcome = await callback(context, state);
        if (fault != Fault.After || outcome.Exception is not null) return outcome;
        if (WhenLost is not null) await WhenLost();
        return Outcome.FromException<TResult>(error());
    }

    private sealed class Options : ResilienceStrategyOptions;
}
