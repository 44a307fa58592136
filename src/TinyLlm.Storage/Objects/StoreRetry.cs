using Polly;
using Polly.Retry;

namespace TinyLlm.Storage;

/// <summary>How often and when a store repeats what failed for a moment.</summary>
internal static class StoreRetry
{
    /// <summary>Three: a service that moves a partition or a disk that reconnects answers by then, and a caller with a deadline still has some of it.</summary>
    public const int MaxRepeats = 3;

    /// <summary>Before the first repeat; doubled for each further one, and spread at random so that many callers don't come back at once.</summary>
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);

    public static ResiliencePipeline Pipeline(Func<Exception, bool> isTransient, TimeProvider time) =>
        new ResiliencePipelineBuilder { TimeProvider = time }
            .AddRetry(new RetryStrategyOptions
            {
                ShouldHandle = arguments => ValueTask.FromResult(
                    arguments.Outcome.Exception is { } error && !arguments.Context.CancellationToken.IsCancellationRequested && isTransient(error)),
                MaxRetryAttempts = MaxRepeats,
                Delay = FirstPause,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
            })
            .Build();
}
