using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using TinyLlm.EndToEnd.Tests.Harness;

namespace TinyLlm.EndToEnd.Tests.Chaos;

/// <summary>
/// A user's client that knows the addresses of all API processes, and for what fails tries once more, at another address, after as long as it was told
/// to wait. It learns of a new address when the process there is ready, and not that an old one is gone.
/// </summary>
internal sealed class TwoAddressClient(RunningCluster cluster, ChaosTally tally, string token) : IDisposable
{
    // A client that has not heard anything for so long gives up.
    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { Timeout = TimeSpan.FromSeconds(60) };

    /// <summary>Sends a request of one kind and reads its answer; null when both attempts failed.</summary>
    public async Task<T?> SendAsync<T>(string kind, HttpMethod method, string route, Func<HttpContent?> content, Func<HttpResponseMessage, Silence, Task<T>> read)
        where T : class
    {
        Uri first = Random.Shared.GetItems(cluster.ApiAddresses, 1)[0];
        long begun = Stopwatch.GetTimestamp();
        List<string> faults = [];
        Silence silence = new();
        T? value = await TryAsync(first, method, route, content, read, silence, faults, isLast: false)
            ?? await TryAsync(cluster.ApiAddresses.First(address => address != first), method, route, content, read, silence, faults, isLast: true);
        silence.Broken();
        tally.Add(new ChaosRequest(this, kind, begun, Stopwatch.GetTimestamp(), silence.Longest, value is not null, faults));
        return value;
    }

    public void Dispose() => _http.Dispose();

    private async Task<T?> TryAsync<T>(
        Uri address, HttpMethod method, string route, Func<HttpContent?> content, Func<HttpResponseMessage, Silence, Task<T>> read, Silence silence, List<string> faults, bool isLast)
        where T : class
    {
        try
        {
            using HttpRequestMessage request = new(method, new Uri(address, route)) { Content = content() };
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            using HttpResponseMessage answer = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, CancellationToken.None);
            if (!answer.IsSuccessStatusCode) throw await RefusedAsync(answer);
            return await read(answer, silence);
        }
        catch (Exception fault) when (fault is BrokenAttemptException or HttpRequestException or IOException or OperationCanceledException)
        {
            faults.Add($"{method} {route} at {address.Port}: {fault.Message}");
            if (!isLast && fault is BrokenAttemptException { RetryAfter: { Ticks: > 0 } wait }) await Task.Delay(wait, TestContext.Current.CancellationToken); // the client's patience, not the test's
            return null;
        }
    }

    /// <summary>What OpenAI's clients repeat too; anything else fails the test.</summary>
    private static async Task<BrokenAttemptException> RefusedAsync(HttpResponseMessage answer)
    {
        string text = await answer.Content.ReadAsStringAsync(CancellationToken.None);
        Assert.True(answer.StatusCode is HttpStatusCode.ServiceUnavailable or HttpStatusCode.Conflict, $"{answer.RequestMessage!.Method} {answer.RequestMessage.RequestUri}: {(int)answer.StatusCode} {text}");
        return new BrokenAttemptException($"{(int)answer.StatusCode} {text}", answer.Headers.RetryAfter?.Delta);
    }
}
