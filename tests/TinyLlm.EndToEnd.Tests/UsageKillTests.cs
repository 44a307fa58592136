using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using TinyLlm.EndToEnd.Tests.Harness;
using TinyLlm.Tests;

namespace TinyLlm.EndToEnd.Tests;

/// <summary>
/// What clients received and what the ledger says, after the host was killed without warning under load. The whole, some minutes:
/// <c>TINYLLM_USAGE_KILLS=20 dotnet test --project tests/TinyLlm.EndToEnd.Tests --filter-class "*UsageKillTests"</c>.
/// </summary>
public sealed class UsageKillTests(ITestOutputHelper log)
{
    private const int Clients = 6;

    private static readonly int s_kills = int.Parse(Environment.GetEnvironmentVariable("TINYLLM_USAGE_KILLS") ?? "2", CultureInfo.InvariantCulture);

    /// <summary>How long the clients are busy before a kill, and within how much more the kill comes: anywhere between two flushes.</summary>
    private static readonly TimeSpan s_busy = TimeSpan.FromSeconds(3);

    [Fact]
    public async Task Usage_HostKilledUnderLoad_DiffersByLessThanASecondOfWork()
    {
        await using RunningHost host = await RunningHost.StartNewAsync();
        using UserClient first = await UserClient.CreateAsync(host, "alice");
        await first.LiftRatesAsync(host);
        await first.UploadAsync("tiny", TinyModel.Files());
        long sum = 0;
        long lastSeconds = 0;
        Random random = new(7);
        for (int kill = 0; kill < s_kills; kill++)
        {
            ReceivedTokens received = new(s_busy + TimeSpan.FromMilliseconds(random.Next(1_000)));
            using CancellationTokenSource stop = new();
            Task[] clients = [.. Enumerable.Range(0, Clients).Select(_ => GenerateAsync(host, first, received, stop.Token))];
            await received.Enough.WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
            long killedAt = Stopwatch.GetTimestamp();
            host.Kill();
            await stop.CancelAsync();
            await Task.WhenAll(clients);
            sum += received.Sum;
            lastSeconds += received.SumSince(killedAt - Stopwatch.Frequency);
            await host.StartAsync();
        }

        using UserClient after = UserClient.Known(host, first);
        JsonNode report = await after.GetAsync("api/me/usage");
        foreach (string role in (string[])["consumer", "owner"])
        {
            long counted = report["usage"]!.AsArray().Where(row => (string?)row!["role"] == role).Sum(row => (long)row!["completion_tokens"]!);
            log.WriteLine($"{role}: {s_kills} kills, received {sum}, counted {counted}, received in the last seconds {lastSeconds}");
            Assert.InRange(counted, sum - lastSeconds, sum + lastSeconds);
            Assert.True(lastSeconds < sum * 0.6, "the clients were not busy for long enough: the bound says nothing");
        }
    }

    /// <summary>One answer after the other until the host is gone.</summary>
    private static async Task GenerateAsync(RunningHost host, UserClient user, ReceivedTokens received, CancellationToken stop)
    {
        using UserClient client = UserClient.Known(host, user);
        JsonObject body = new() { ["model"] = "tiny", ["prompt"] = "Hello", ["max_tokens"] = 200, ["stream"] = true, ["return_token_ids"] = true };
        try
        {
            while (!stop.IsCancellationRequested)
            {
                using HttpResponseMessage answer = await client.SendAsync(HttpMethod.Post, "v1/completions", JsonContent.Create(body));
                using StreamReader reader = new(await answer.Content.ReadAsStreamAsync(stop));
                while (await reader.ReadLineAsync(stop) is { } line)
                {
                    if (!line.StartsWith("data: {", StringComparison.Ordinal)) continue;
                    JsonNode chunk = JsonNode.Parse(line["data: ".Length..])!;
                    int tokens = chunk["choices"] is JsonArray { Count: > 0 } choices && choices[0]!["token_ids"] is JsonArray ids ? ids.Count : 0;
                    if (tokens > 0) received.Add(tokens);
                }
            }
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or OperationCanceledException)
        {
            // The host is gone, as it should be.
        }
    }

    /// <summary>Tokens that reached clients, and when.</summary>
    private sealed class ReceivedTokens(TimeSpan busy)
    {
        private readonly ConcurrentQueue<(long At, int Tokens)> items = [];
        private readonly TaskCompletionSource enough = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Ends when tokens have come for as long as was asked for.</summary>
        public Task Enough => enough.Task;

        public long Sum => items.Sum(item => (long)item.Tokens);

        public long SumSince(long timestamp) => items.Where(item => item.At >= timestamp).Sum(item => (long)item.Tokens);

        public void Add(int tokens)
        {
            long now = Stopwatch.GetTimestamp();
            items.Enqueue((now, tokens));
            if (items.TryPeek(out (long At, int Tokens) first) && Stopwatch.GetElapsedTime(first.At, now) > busy) enough.TrySetResult();
        }
    }
}
