using Polly;

namespace TinyLlm.Storage.Tests.Faults;

/// <summary>Stops a store before one of its accesses to the disk or service, as a process stops that is not scheduled for a while, until it may go on.</summary>
/// <param name="access">Which access, from 0 on.</param>
internal sealed class StandStill(int access) : ResilienceStrategy
{
    private readonly TaskCompletionSource reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int accesses;

    /// <summary>Ends when the store stands still.</summary>
    public Task Reached => reached.Task;

    public void GoOn() => released.TrySetResult();

    /// <summary>Puts it into a store.</summary>
    public StandStill Into(ObjectStore store)
    {
        store.Attempts = new ResiliencePipelineBuilder().AddPipeline(store.Attempts).AddStrategy(_ => this, new Options()).Build();
        return this;
    }

    protected override async ValueTask<Outcome<TResult>> ExecuteCore<TResult, TState>(
        Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback, ResilienceContext context, TState state)
    {
        if (Interlocked.Increment(ref accesses) - 1 == access)
        {
            reached.TrySetResult();
            await released.Task;
        }
        return await callback(context, state);
    }

    private sealed class Options : ResilienceStrategyOptions;
}
