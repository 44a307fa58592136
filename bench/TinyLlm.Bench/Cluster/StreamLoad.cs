using System.Net.Http.Json;

namespace TinyLlm.Bench.Cluster;

/// <summary>
/// Clients that stream one answer after the other and read them as cheaply as they can: a token's event is two line ends. Disposing it ends all of them.
/// Each goes through the lengths of answers from a place of its own: clients in step would make whole windows fuller or emptier than the rate.
/// </summary>
internal sealed class StreamLoad : IAsyncDisposable
{
    private const int BufferBytes = 64 << 10;

    private readonly CancellationTokenSource _ended = new();
    private readonly Task _clients;
    private long _tokens;

    /// <param name="streams">Whom each client asks, as which user, for which model.</param>
    /// <param name="answerTokens">The lengths of answers, taken in turn.</param>
    public StreamLoad(IEnumerable<(HttpClient User, string Model)> streams, params int[] answerTokens) =>
        _clients = Task.WhenAll(streams.Select((stream, i) => Task.Run(() => StreamAsync(stream.User, stream.Model, answerTokens, i))).ToArray());

    /// <summary>Tokens received until now.</summary>
    public long Tokens => Interlocked.Read(ref _tokens);

    /// <summary>Waits; a client that fails ends the measurement.</summary>
    public async Task RunAsync(TimeSpan time)
    {
        Task first = await Task.WhenAny(_clients, Task.Delay(time));
        if (first == _clients) await _clients;
    }

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        await _clients;
        _ended.Dispose();
    }

    private async Task StreamAsync(HttpClient user, string model, int[] answerTokens, int first)
    {
        byte[] buffer = new byte[BufferBytes];
        try
        {
            for (int answer = first; ; answer++)
            {
                using HttpRequestMessage request = new(HttpMethod.Post, "/v1/completions")
                {
                    Content = JsonContent.Create(new { model, prompt = "hello", max_tokens = answerTokens[answer % answerTokens.Length], temperature = 0, stream = true }),
                };
                using HttpResponseMessage response = await user.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, _ended.Token);
                response.EnsureSuccessStatusCode();
                await using Stream body = await response.Content.ReadAsStreamAsync(_ended.Token);
                int lines = 0, count;
                while ((count = await body.ReadAsync(buffer, _ended.Token)) > 0)
                {
                    int more = buffer.AsSpan(0, count).Count((byte)'\n');
                    Interlocked.Add(ref _tokens, (lines + more) / 2 - lines / 2);
                    lines += more;
                }
            }
        }
        catch (OperationCanceledException) when (_ended.IsCancellationRequested)
        {
            // The measurement is over.
        }
    }
}
