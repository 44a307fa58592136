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

    /// <summary>The work that a kill may lose: usage is told twice a second.</summary>
    private static readonly TimeSpan s_mostLost = TimeSpan.FromSeconds(1);

    /// <summary>How long the clients are busy before a kill, and within how much more the kill comes: anywhere between two flushes.</summary>
    private static readonly TimeSpan s_busy = 3 * s_mostLost;

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
            (long received, long inLastSecond) = await KillUnderLoadAsync(host, first, host, TimeSpan.FromMilliseconds(random.Next(1_000)));
            sum += received;
            lastSeconds += inLastSecond;
            await host.StartAsync();
        }

        using UserClient after = UserClient.Known(host, first);
        await AssertCountedAsync(after, sum, lastSeconds);
    }

    /// <summary>
    /// A core takes the ledgers with it, in the middle of their writes: what was told and not acknowledged is told again, to the next one. A process that
    /// generates takes what it had not told.
    /// </summary>
    [Fact]
    public async Task Usage_CoreThenGpuOfAClusterKilledUnderLoad_DiffersByLessThanASecondOfWork()
    {
        await using RunningCluster cluster = await RunningCluster.StartAsync(api: 1, core: 1, gpu: 1);
        using UserClient user = await UserClient.CreateAsync(cluster.Api[0], $"user-{Guid.NewGuid():N}");
        await user.LiftRatesAsync(cluster.Api[0]);
        await user.UploadAsync("tiny", TinyModel.Files());
        (long Received, long InLastSecond) core = await KillUnderLoadAsync(cluster.Api[0], user, cluster.Core[0]);
        await cluster.ReplaceAsync(cluster.Core, cluster.Core[0]);
        (long Received, long InLastSecond) gpu = await KillUnderLoadAsync(cluster.Api[0], user, cluster.Gpu[0]);

        await AssertCountedAsync(user, core.Received + gpu.Received, core.InLastSecond + gpu.InLastSecond);
    }

    /// <summary>Keeps a host busy, kills a process of its cluster, and ends the clients.</summary>
    private static async Task<(long Received, long InLastSecond)> KillUnderLoadAsync(RunningHost api, UserClient user, RunningHost victim, TimeSpan longer = default)
    {
        ReceivedTokens received = new(s_busy + longer);
        using CancellationTokenSource stop = new();
        Task[] clients = [.. Enumerable.Range(0, Clients).Select(_ => GenerateAsync(api, user, received, stop.Token))];
        await received.Enough.WaitAsync(TimeSpan.FromMinutes(5), TestContext.Current.CancellationToken);
        long killedAt = Stopwatch.GetTimestamp();
        victim.Kill();
        await stop.CancelAsync();
        await Task.WhenAll(clients);
        return (received.Sum, received.SumSince(killedAt - (long)(s_mostLost.TotalSeconds * Stopwatch.Frequency)));
    }

    private async Task AssertCountedAsync(UserClient user, long received, long inLastSeconds)
    {
        JsonNode report = await user.GetAsync("api/me/usage");
        foreach (string role in (string[])["consumer", "owner"])
        {
            long counted = report["usage"]!.AsArray().Where(row => (string?)row!["role"] == role).Sum(row => (long)row!["completion_tokens"]!);
            log.WriteLine($"{role}: received {received}, counted {counted}, received in the last seconds {inLastSeconds}");
            Assert.InRange(counted, received - inLastSeconds, received + inLastSeconds);
            Assert.True(inLastSeconds < received * 0.6, "the clients were not busy for long enough: the bound says nothing");
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
