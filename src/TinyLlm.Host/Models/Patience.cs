using TinyLlm.Grains.Errors;

namespace TinyLlm.Host.Models;

/// <summary>Waiting for what another request holds: it is most often the same client's, which broke off with its process.</summary>
internal static class Patience
{
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_askAgainAfter = TimeSpan.FromMilliseconds(200);

    /// <summary>Begins as soon as the request that is in the way has ended, or the process that it ran in is known to be gone; or else refuses as it was refused.</summary>
    public static async Task<T> WhenFreeAsync<T>(Func<Task<T>> begin, TimeProvider time, CancellationToken cancellationToken)
    {
        for (long since = time.GetTimestamp(); ; await Task.Delay(s_askAgainAfter, time, cancellationToken))
        {
            try
            {
                return await begin();
            }
            catch (RequestException refusal) when (refusal is { Error: RequestError.Conflict, RetryAfter: not null } && time.GetElapsedTime(since) < s_longest)
            {
            }
        }
    }
}
