using System.Diagnostics;
using System.Net.Http.Json;
using TinyLlm.Tests;

namespace TinyLlm.Bench.Serve;

/// <summary>
/// What a client of the embedded host feels, over HTTP against the real process: the start, a short answer, and how soon the place of a
/// client that went away is another's. The host has one slot: the next request's first token can only come after the slot was freed, so the
/// time from closing one connection to the other's first byte bounds the freeing from above.
/// </summary>
internal static class ServeBenchmark
{
    private const int Starts = 5;
    private const int WarmUps = 20;
    private const int Samples = 300;

    /// <summary>Many times what a request needs to be answered by a free slot: one that still waits then waits for the slot.</summary>
    private static readonly TimeSpan QueueTime = TimeSpan.FromMilliseconds(50);

    /// <summary>An answer of this length takes many seconds (4,000 took 0.7): a slot that is free before was freed, and did not end by itself.</summary>
    private const int LongAnswerTokens = 60_000;

    public static int Run(string[] arguments)
    {
        string? folder = new BenchArguments(arguments).Out;
        return RunAsync(folder).GetAwaiter().GetResult(); // a console program: there is no context to block
    }

    private static async Task<int> RunAsync(string? folder)
    {
        BenchReport report = new(
            "serve",
            "disconnectToFirstByteMs contains two engine steps, one request and one prefill, and must stay under 250 ms at p99; firstByteMs is that request alone");

        List<double> starts = [];
        for (int i = 0; i < Starts; i++)
        {
            using HostProcess started = await HostProcess.StartAsync();
            starts.Add(started.StartTime.TotalMilliseconds);
        }
        report.Add("startToReadyMs", starts);

        using HostProcess host = await HostProcess.StartAsync("--TinyLlm:Engine:MaxRunning", "1");
        using HttpClient user = await host.CreateUserAsync("bench");
        await HostProcess.PushAsync(user, "tiny", TinyModel.Files(contextLength: LongAnswerTokens + 64));

        List<double> firstBytes = [];
        List<double> disconnects = [];
        for (int i = 0; i < WarmUps + Samples; i++)
        {
            double alone = await MeasureFirstByteAsync(user);
            double afterDisconnect = await MeasureDisconnectAsync(user);
            if (i < WarmUps) continue;
            firstBytes.Add(alone);
            disconnects.Add(afterDisconnect);
        }
        report.Add("firstByteMs", firstBytes);
        report.Add("disconnectToFirstByteMs", disconnects);
        return report.Finish(folder);
    }

    /// <summary>A request whose slot is free.</summary>
    private static async Task<double> MeasureFirstByteAsync(HttpClient user)
    {
        long began = Stopwatch.GetTimestamp();
        using HttpResponseMessage response = await StartAsync(user, maxTokens: 1);
        double milliseconds = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
        await response.Content.ReadAsByteArrayAsync();
        return milliseconds;
    }

    /// <summary>A request whose slot is taken by a long answer, until that answer's client goes away.</summary>
    private static async Task<double> MeasureDisconnectAsync(HttpClient user)
    {
        HttpResponseMessage running = await StartAsync(user, LongAnswerTokens);
        await (await running.Content.ReadAsStreamAsync()).ReadExactlyAsync(new byte[64]); // every token has an event, so these are the first one's
        Task<HttpResponseMessage> waiting = StartAsync(user, maxTokens: 1);
        await Task.Delay(QueueTime);
        if (waiting.IsCompleted) throw new InvalidOperationException("The second request did not wait: the host has more than one slot, and the figure would mean nothing.");
        long began = Stopwatch.GetTimestamp();
        running.Dispose();
        using HttpResponseMessage next = await waiting;
        double milliseconds = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
        await next.Content.ReadAsByteArrayAsync();
        return milliseconds;
    }

    private static async Task<HttpResponseMessage> StartAsync(HttpClient user, int maxTokens)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, "/v1/completions")
        {
            Content = JsonContent.Create(new { model = "tiny", prompt = "hello", max_tokens = maxTokens, temperature = 0, stream = true, return_token_ids = true }),
        };
        HttpResponseMessage response = await user.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        response.EnsureSuccessStatusCode();
        return response;
    }
}
