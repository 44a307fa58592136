using System.Diagnostics;
using System.Net.Http.Json;
using TinyLlm.Bench.Serve;
using TinyLlm.Tests;

namespace TinyLlm.Bench.Cluster;

/// <summary>
/// What loads of other models do to the answers of one in memory: its latency alone, while another is always being loaded, and, to tell what of that is the load's, while the
/// same other requests find their model loaded; by turns. On a simulated device a load takes its time and no processor, as an upload to an accelerator does: that shows whether
/// anything waits for it; what the loaded model then answers takes its turn on the device, a millisecond of it. On the real host a load also takes the processor from the answers.
/// </summary>
internal static class WarmLatency
{
    private const int AnswerTokens = 160;
    private const int Rounds = 12;
    private const int RequestsPerRound = 25;

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
        foreach (Beside other in (Beside[])[Beside.Loads, Beside.Requests]) await AskOtherAsync(user, other);

        Beside[] conditions = Enum.GetValues<Beside>();
        Dictionary<Beside, List<double>> samples = conditions.ToDictionary(beside => beside, _ => new List<double>());
        (int loads, double loadSeconds) = (0, 0);
        for (int round = 0; round < Rounds; round++)
        {
            for (int turn = 0; turn < conditions.Length; turn++)
            {
                Beside beside = conditions[(round + turn) % conditions.Length];
                long began = Stopwatch.GetTimestamp();
                using CancellationTokenSource enough = new();
                Task<int> others = AskOthersAsync(user, beside, enough.Token);
                for (int i = 0; i < RequestsPerRound; i++) samples[beside].Add(await AskAsync(user, "warm"));
                await enough.CancelAsync();
                if (await others == 0 && beside != Beside.Nothing) throw new InvalidOperationException("Nothing was asked meanwhile: the figure would mean nothing.");
                if (beside != Beside.Loads) continue;
                loads += await others;
                loadSeconds += Stopwatch.GetElapsedTime(began).TotalSeconds;
            }
        }
        report.Add($"{name}WarmAloneMs", samples[Beside.Nothing]);
        report.Add($"{name}WarmBesideLoadsMs", samples[Beside.Loads]);
        report.Add($"{name}WarmBesideRequestsMs", samples[Beside.Requests]);
        report.Add($"{name}LoadsPerSecond", loads / loadSeconds);
        report.Add($"{name}WarmP95Ratio", P95(samples[Beside.Loads]) / P95(samples[Beside.Nothing]));
        report.Add($"{name}WarmP95RatioToRequests", P95(samples[Beside.Loads]) / P95(samples[Beside.Requests]));
    }

    private static double P95(List<double> samples) => samples.Order().ElementAt((int)Math.Ceiling(0.95 * samples.Count) - 1);

    /// <summary>One other client, that always waits for an answer of another model.</summary>
    private static async Task<int> AskOthersAsync(HttpClient user, Beside beside, CancellationToken enough)
    {
        if (beside == Beside.Nothing) return 0;
        int asked = 0;
        for (; !enough.IsCancellationRequested; asked++) await AskOtherAsync(user, beside);
        return asked;
    }

    /// <summary>A model that goes with its answer is loaded by the next request.</summary>
    private static Task<double> AskOtherAsync(HttpClient user, Beside beside) => AskAsync(user, "cold", maxTokens: 1, keepAlive: beside == Beside.Loads ? 0 : null);

    private static async Task<double> AskAsync(HttpClient user, string model, int maxTokens = AnswerTokens, int? keepAlive = null)
    {
        long began = Stopwatch.GetTimestamp();
        using HttpResponseMessage response = await user.PostAsJsonAsync(
            "/v1/completions", new { model, prompt = "hello", max_tokens = maxTokens, temperature = 0, ignore_eos = true, keep_alive = keepAlive });
        response.EnsureSuccessStatusCode();
        await response.Content.ReadAsByteArrayAsync();
        return Stopwatch.GetElapsedTime(began).TotalMilliseconds;
    }

    private enum Beside
    {
        Nothing,
        Loads,
        Requests,
    }
}
