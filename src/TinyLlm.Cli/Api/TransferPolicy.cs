namespace TinyLlm.Cli.Api;

/// <summary>
/// In which pieces files are sent, and how often and after which pauses what failed is repeated: exponential steps with full jitter, so that
/// clients that failed together do not return together. A server's Retry-After is the least pause, up to a bound.
/// </summary>
internal sealed record TransferPolicy
{
    /// <summary>
    /// The most bytes of one request. The server counts a request with a digest as a whole or not at all, so this is what a dropped
    /// connection costs: some seconds of a slow line, and few requests for a large file. Just under 8 MiB: so much the server checks in
    /// memory before it encrypts and stores it, and longer bodies it stores twice.
    /// </summary>
    public long SegmentBytes { get; init; } = (8 << 20) - (16 << 10);

    /// <summary>Failures in a row, without a byte of progress between them, after which the last one is final.</summary>
    public int MaxFailures { get; init; } = 8;

    /// <summary>The upper bound of the first pause; it doubles with every failure.</summary>
    public TimeSpan FirstPause { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>The upper bound of any pause.</summary>
    public TimeSpan LongestPause { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>The longest wait that a server may ask for.</summary>
    public TimeSpan LongestRetryAfter { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Whether a repeat of the same request may succeed.</summary>
    public static bool IsTransient(Exception fault) =>
        fault is ApiException { Status: 408 or 429 or 500 or 502 or 503 or 504 } || ApiException.IsNetwork(fault);

    /// <summary>Waits before the repeat after the <paramref name="failures"/>th failure (1 is the first).</summary>
    public Task PauseAsync(int failures, Exception fault, TimeProvider time, CancellationToken cancellationToken)
    {
        double bound = Math.Min(LongestPause.TotalMilliseconds, FirstPause.TotalMilliseconds * Math.Pow(2, failures - 1));
        TimeSpan pause = TimeSpan.FromMilliseconds(bound * Random.Shared.NextDouble());
        if (fault is ApiException { RetryAfter: TimeSpan asked } && asked > pause) pause = asked < LongestRetryAfter ? asked : LongestRetryAfter;
        return Task.Delay(pause, time, cancellationToken);
    }

    /// <summary>Runs <paramref name="action"/> until it succeeds, fails for good, or has failed too often.</summary>
    public async Task<T> RunAsync<T>(Func<Task<T>> action, TimeProvider time, CancellationToken cancellationToken)
    {
        for (int failures = 1; ; failures++)
        {
            try
            {
                return await action();
            }
            catch (Exception fault) when (failures < MaxFailures && IsTransient(fault))
            {
                await PauseAsync(failures, fault, time, cancellationToken);
            }
        }
    }
}
