using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using TinyLlm.Bench.Engine;
using TinyLlm.Bench.Serve;
using TinyLlm.SafeTensors;
using TinyLlm.Tests;

namespace TinyLlm.Bench.Cluster;

/// <summary>
/// What loads of other models do to the answers of one in memory. Its latency alone; while a model of 15 M parameters is always being loaded; while a tiny one is, as often as a
/// client can ask; and, to tell what of that is the asking's, while that client asks for a model that is already there; by turns. On a simulated device a load takes its time and
/// no processor, as an upload to an accelerator does: that shows whether anything waits for it. On the real host a load also takes the processors from the answers.
/// </summary>
internal static class WarmLatency
{
    private const int AnswerTokens = 160;
    private const int Rounds = 24;
    private const int RequestsPerRound = 25;
    private const string Warm = "warm", Large = "large", Small = "small";

    /// <summary>Of a keep-alive of nothing: the model goes a moment after the answer.</summary>
    private static readonly TimeSpan s_untilGone = TimeSpan.FromMilliseconds(2);

    public static async Task MeasureAsync(BenchReport report)
    {
        Dictionary<string, byte[]> large = LargeModel();
        using (HostProcess host = await HostProcess.StartAsync(
            new HostSpec(HostSpec.Simulated, [.. ClusterBenchmark.NoLimits, "--Simulated:TokensPerSecond", "8000", "--Simulated:LoadSeconds", "0.3"])))
            await MeasureAsync(report, "simulated", host, large);
        using (HostProcess host = await HostProcess.StartAsync(ClusterBenchmark.NoLimits)) await MeasureAsync(report, "real", host, large);
    }

    private static async Task MeasureAsync(BenchReport report, string name, HostProcess host, Dictionary<string, byte[]> large)
    {
        using HttpClient user = await host.CreateUserAsync("bench");
        await HostProcess.PushAsync(user, Warm, TinyModel.Files(contextLength: 2 * AnswerTokens));
        await HostProcess.PushAsync(user, Large, large);
        await HostProcess.PushAsync(user, Small, TinyModel.Files(seed: 2));
        for (int i = 0; i < RequestsPerRound; i++) await AnswerAsync(user);

        Beside[] conditions = Enum.GetValues<Beside>();
        Dictionary<Beside, Sample> samples = conditions.ToDictionary(beside => beside, _ => new Sample());
        foreach (Beside beside in conditions) await LoadOnceAsync(user, beside);
        for (int round = 0; round < Rounds; round++)
        {
            for (int turn = 0; turn < conditions.Length; turn++)
            {
                Beside beside = conditions[(round + turn) % conditions.Length];
                Sample sample = samples[beside];
                long began = Stopwatch.GetTimestamp();
                using CancellationTokenSource enough = new();
                Task<int> others = LoadAlwaysAsync(user, beside, enough.Token);
                for (int i = 0; i < RequestsPerRound; i++) sample.Ms.Add(await AnswerAsync(user));
                await enough.CancelAsync();
                if (await others == 0 && beside != Beside.Nothing) throw new InvalidOperationException("Nothing was loaded meanwhile: the figure would mean nothing.");
                sample.Others += await others;
                sample.Seconds += Stopwatch.GetElapsedTime(began).TotalSeconds;
            }
        }
        Sample alone = samples[Beside.Nothing];
        report.Add($"{name}WarmAloneMs", alone.Ms);
        foreach (Beside beside in conditions.Where(beside => beside != Beside.Nothing))
        {
            Sample sample = samples[beside];
            report.Add($"{name}WarmBeside{beside}Ms", sample.Ms);
            report.Add($"{name}{beside}PerSecond", sample.Others / sample.Seconds);
            report.Add($"{name}WarmBeside{beside}P95Ratio", sample.P95 / alone.P95);
            report.Add($"{name}WarmBeside{beside}MeanRatio", sample.Ms.Average() / alone.Ms.Average());
        }
    }

    /// <summary>One other client, that always waits for a model to be loaded.</summary>
    private static async Task<int> LoadAlwaysAsync(HttpClient user, Beside beside, CancellationToken enough)
    {
        if (beside == Beside.Nothing) return 0;
        int loaded = 0;
        for (; !enough.IsCancellationRequested; loaded++) await LoadOnceAsync(user, beside);
        return loaded;
    }

    private static async Task LoadOnceAsync(HttpClient user, Beside beside)
    {
        if (beside == Beside.Nothing) return;
        (string model, object keepAlive) = beside switch
        {
            Beside.LargeLoads => (Large, (object)0),
            Beside.SmallLoads => (Small, 0),
            _ => (Warm, "1h"),
        };
        while (!await LoadAsync(user, model, keepAlive) && beside != Beside.Requests) await Task.Delay(s_untilGone);
    }

    /// <summary>Whether the model was not in memory before.</summary>
    private static async Task<bool> LoadAsync(HttpClient user, string model, object keepAlive)
    {
        using HttpResponseMessage response = await user.PostAsJsonAsync($"/api/models/bench/{model}/load", new { keep_alive = keepAlive });
        response.EnsureSuccessStatusCode();
        return (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("loaded").GetBoolean();
    }

    private static async Task<double> AnswerAsync(HttpClient user)
    {
        long began = Stopwatch.GetTimestamp();
        using HttpResponseMessage response =
            await user.PostAsJsonAsync("/v1/completions", new { model = Warm, prompt = "hello", max_tokens = AnswerTokens, temperature = 0, ignore_eos = true });
        response.EnsureSuccessStatusCode();
        await response.Content.ReadAsByteArrayAsync();
        return Stopwatch.GetElapsedTime(began).TotalMilliseconds;
    }

    /// <summary>60 MB of weights; the tokenizer is the tiny model's.</summary>
    private static Dictionary<string, byte[]> LargeModel()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("tinyllm-bench-");
        try
        {
            BenchModels.Write(folder.FullName, DType.F32, 6, 288, 768, 6, 6, 32000);
            Dictionary<string, byte[]> files = TinyModel.Files();
            foreach (FileInfo file in folder.EnumerateFiles()) files[file.Name] = File.ReadAllBytes(file.FullName);
            return files;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private enum Beside
    {
        Nothing,
        LargeLoads,
        SmallLoads,
        Requests,
    }

    private sealed class Sample
    {
        public List<double> Ms { get; } = [];

        public int Others { get; set; }

        public double Seconds { get; set; }

        public double P95 => Ms.Order().ElementAt((int)Math.Ceiling(0.95 * Ms.Count) - 1);
    }
}
