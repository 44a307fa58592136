using Microsoft.AspNetCore.Http.Features;

namespace TinyLlm.Host.Hardening;

/// <summary>
/// Ends answers that nobody reads. The server's own bound is a pace over the whole connection: who took megabytes at once may by it take nothing for hours,
/// and what the sockets of both sides hold counts as taken. So the routes that no timeout ends wait for each write here, and close the connection when it
/// stands still. A write goes on when the client has taken some 32 KiB of what stands before it, so slow readers are not ended.
/// </summary>
internal sealed class ReaderPatience(HttpOptions options, TimeProvider time)
{
    /// <summary>For the last words of an answer whose right was withdrawn: with the half second in which that is noticed, it is over within one.</summary>
    private static readonly TimeSpan s_lastWords = TimeSpan.FromMilliseconds(250);

    /// <summary>Sends what was written. After <paramref name="cut"/> it has only a moment.</summary>
    /// <exception cref="SlowReaderException">The client does not read: its connection was closed, and nothing more is to be written.</exception>
    public ValueTask FlushAsync(HttpContext http, CancellationToken cut)
    {
        var flush = http.Response.BodyWriter.FlushAsync(http.RequestAborted);
        if (!flush.IsCompletedSuccessfully) return new ValueTask(BoundAsync(flush.AsTask(), http, cut));
        flush.GetAwaiter().GetResult();
        return ValueTask.CompletedTask;
    }

    /// <summary>From here on, whatever writes this response's body does it under the same bound.</summary>
    public void Bound(HttpContext http)
    {
        IHttpResponseBodyFeature body = http.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
        http.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(new PatientStream(body.Stream, write => BoundAsync(write, http, CancellationToken.None)), body));
    }

    private async Task BoundAsync(Task write, HttpContext http, CancellationToken cut)
    {
        try
        {
            try
            {
                await write.WaitAsync(options.SlowReaderDeadline, time, cut);
            }
            catch (OperationCanceledException) when (cut.IsCancellationRequested && !write.IsCompleted)
            {
                await write.WaitAsync(s_lastWords, time, CancellationToken.None);
            }
        }
        catch (TimeoutException) when (!write.IsCompleted)
        {
            http.Abort();
            await write.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // it ends with the connection, and how is no matter
            throw new SlowReaderException();
        }
    }
}
