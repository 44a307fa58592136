using System.Diagnostics;
using System.Net.Http.Json;
using TinyLlm.Bench.Serve;
using TinyLlm.Tests;

namespace TinyLlm.Bench.Cluster;

/// <summary>
/// What loads of other models do to the answers of one in memory: its latency alone and while another is always being loaded, by turns. On a simulated device a load takes
/// its time and no processor, as an upload to an accelerator does: that shows whether anything waits for it; what the loaded model then answers takes its turn on the device,
/// a millisecond of it. On the real host a load also takes the processor from the answers.
/// </summary>
internal static class WarmLatency
{
    private const int AnswerTokens = 160;
    private const int Rounds = 6;
    private const int RequestsPerRound = 50;

    public static async Task MeasureAsync(BenchReport report)
    {
        using (HostProcess host = await HostProcess.StartAsync(
            new HostSpec(HostSpec.Simulated, [.. ClusterBenchmark.NoLimits, "--Simulated:TokensPerSecond", "8000", "--Simulated:LoadSeconds", "0.3"])))
            await MeasureAsync(report, "simulated", host);
        using (HostProcess host = await HostProcess.StartAsync(ClusterBenchmark.NoLimits)) await MeasureAsync(report, "real", host);
    }

    private static async Task MeasureAsync(BenchReport report, string name, HostProcess host)
    {
        using HttpClient user = await host.CreateUserAsync("bench");
        await HostProcess.PushAsync(user, "warm", TinyModel.Files(contextLength: 2 * AnswerTokens));
        await HostProcess.PushAsync(user, "cold", TinyModel.Files(seed: 2));
        for (int i = 0; i < RequestsPerRound; i++) await AskAsync(user, "warm");
        await LoadAsync(user);

        List<double> alone = [], beside = [];
        for (int round = 0; round < Rounds; round++)
        {
            for (int i = 0; i < RequestsPerRound; i++) alone.Add(await AskAsync(user, "warm"));
            using CancellationTokenSource enough = new();
            Task<int> loads = LoadAgainAndAgainAsync(user, enough.Token);
            for (int i = 0; i < RequestsPerRound; i++) beside.Add(await AskAsync(user, "warm"));
            await enough.CancelAsync();
            if (await loads == 0) throw new InvalidOperationException("Nothing was loaded meanwhile: the figure would mean nothing.");
        }
        report.Add($"{name}WarmAloneMs", alone);
        report.Add($"{name}WarmBesideLoadsMs", beside);
        report.Add($"{name}WarmP95Ratio", P95(beside) / P95(alone));
    }

    private static double P95(List<double> samples) => samples.Order().ElementAt((int)Math.Ceiling(0.95 * samples.Count) - 1);

    private static async Task<int> LoadAgainAndAgainAsync(HttpClient user, CancellationToken enough)
    {
        int loads = 0;
        for (; !enough.IsCancellationRequested; loads++) await LoadAsync(user);
        return loads;
    }

    /// <summary>A model that goes with its answer is loaded by the next request.</summary>
    private static Task<double> LoadAsync(HttpClient user) => AskAsync(user, "cold", maxTokens: 1, keepAlive: 0);

    private static async Task<double> AskAsync(HttpClient user, string model, int maxTokens = AnswerTokens, int? keepAlive = null)
    {
        long began = Stopwatch.GetTimestamp();
        using HttpResponseMessage response = await user.PostAsJsonAsync(
            "/v1/completions", new { model, prompt = "hello", max_tokens = maxTokens, temperature = 0, ignore_eos = true, keep_alive = keepAlive });
        response.EnsureSuccessStatusCode();
        await response.Content.ReadAsByteArrayAsync();
        return Stopwatch.GetElapsedTime(began).TotalMilliseconds;
    }
}
