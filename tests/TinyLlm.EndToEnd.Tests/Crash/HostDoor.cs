using System.Net.Http.Headers;
using System.Net.Sockets;
using TinyLlm.EndToEnd.Tests.Harness;

namespace TinyLlm.EndToEnd.Tests.Crash;

/// <summary>
/// The way to a host that is killed and started again and again. A request that the kill cut off is told apart from one that failed by itself: only the
/// first may happen. Counts what begins, so that the killer can strike in the middle of it.
/// </summary>
internal sealed class HostDoor(RunningHost host) : IDisposable
{
    private readonly Lock gate = new();
    private TaskCompletionSource<HttpClient> open = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource struck = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private HttpClient? current;
    private int untilStrike;

    /// <summary>Requests that were answered to their end.</summary>
    public int Answered { get; private set; }

    /// <summary>Requests that a kill cut off.</summary>
    public int CutOff { get; private set; }

    /// <summary>The host is there.</summary>
    public void Open()
    {
        lock (gate)
        {
            current = new HttpClient { BaseAddress = host.Url, Timeout = TimeSpan.FromMinutes(2) };
            open.SetResult(current);
        }
    }

    /// <summary>The host is about to be killed.</summary>
    public void Close()
    {
        lock (gate)
        {
            open = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    /// <summary>The host is dead: nothing of it is still on the wire.</summary>
    public void DropConnections()
    {
        current?.Dispose();
        current = null;
    }

    /// <summary>Ends as soon as so many more requests have begun.</summary>
    public Task BegunAsync(int requests)
    {
        lock (gate)
        {
            untilStrike = requests;
            struck = new(TaskCreationOptions.RunContinuationsAsynchronously);
            return struck.Task;
        }
    }

    /// <summary>
    /// Sends one request and reads the whole answer; null when a kill cut it off, or the host did because what it sent was withdrawn.
    /// </summary>
    public async Task<HostAnswer?> TrySendAsync(
        string token, HttpMethod method, string route, Func<HttpContent>? content, CancellationToken cancellationToken, Func<bool>? isWithdrawn = null)
    {
        Task<HttpClient> opening;
        lock (gate) opening = open.Task;
        HttpClient client = await opening.WaitAsync(cancellationToken);
        CountBegun();
        try
        {
            using HttpRequestMessage request = new(method, route) { Content = content?.Invoke() };
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            using HttpResponseMessage response = await client.SendAsync(request, HttpCompletionOption.ResponseContentRead, CancellationToken.None);
            HostAnswer answer = await HostAnswer.ReadAsync(response);
            lock (gate) Answered++;
            return answer;
        }
        catch (Exception fault) when (fault is HttpRequestException or OperationCanceledException or IOException or ObjectDisposedException or SocketException)
        {
            lock (gate)
            {
                Assert.True(opening != open.Task || isWithdrawn?.Invoke() == true, $"{method} {route} failed though nobody had killed the host: {fault}\n{host.Output}");
                CutOff++;
                return null;
            }
        }
    }

    /// <summary>Sends until an answer comes; for requests that may be repeated.</summary>
    public async Task<HostAnswer> SendAsync(
        string token, HttpMethod method, string route, Func<HttpContent>? content, CancellationToken cancellationToken, Func<bool>? isWithdrawn = null)
    {
        while (true)
        {
            if (await TrySendAsync(token, method, route, content, cancellationToken, isWithdrawn) is { } answer) return answer;
        }
    }

    public void Dispose() => DropConnections();

    private void CountBegun()
    {
        lock (gate)
        {
            if (untilStrike > 0 && --untilStrike == 0) struck.SetResult();
        }
    }
}
