using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using TinyLlm.Engine;
using TinyLlm.SafeTensors;

namespace TinyLlm.Bench.Engine;

/// <summary>
/// Greedy generation through a device's loop, sampling and channels included: tokens per second of 1, 4 and 16 sequences together, and of
/// prompts, in F32 and BF16, beside the ceiling that memory sets. Weights that stay in the processor's cache may exceed that ceiling; it is then
/// marked by a share above 1. Bandwidth is measured beside each model, and the system's load average before and after it is part of the result:
/// figures of a machine that others used are no figures of the engine. <c>--model DIR</c> adds a real one (stories260K); <c>--only NAME</c> measures
/// the models whose name contains it.
/// </summary>
internal static class EngineBenchmark
{
    private const int Samples = 5;

    public static int Run(string[] arguments)
    {
        BenchArguments options = new(arguments, "--model", "--tokens", "--only");
        int tokens = (int)options.Number("--tokens", 48);
        BenchReport report = new("engine", "bytes of weights over the bandwidth measured just before each model, times the batch");
        DirectoryInfo folder = Directory.CreateTempSubdirectory("tinyllm-bench-");
        try
        {
            foreach (ComputePrecision precision in (ComputePrecision[])[ComputePrecision.F32, ComputePrecision.BF16])
            {
                DType dtype = precision == ComputePrecision.BF16 ? DType.BF16 : DType.F32;
                if (options.Text("--model") is string real) Measure("stories260K", tokens, () => real);
                Measure("shape15M", tokens, () => BenchModels.Write(Path.Combine(folder.FullName, "15M", precision.ToString()), dtype, 6, 288, 768, 6, 6, 32000));
                Measure("shape135M", tokens / 2, () => BenchModels.Write(Path.Combine(folder.FullName, "135M", precision.ToString()), dtype, 30, 576, 1536, 9, 3, 49152));

                void Measure(string shape, int newTokens, Func<string> write)
                {
                    string name = shape + "." + precision;
                    if (name.Contains(options.Text("--only") ?? "", StringComparison.Ordinal)) MeasureModel(report, name, write(), precision, newTokens).GetAwaiter().GetResult();
                }
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
        return report.Finish(options.Out);
    }

    private static async Task MeasureModel(BenchReport report, string name, string folder, ComputePrecision precision, int tokens)
    {
        AddLoad(report, $"{name}.loadBefore");
        double bandwidth = MemoryBandwidth.Measure();
        report.Add($"{name}.bandwidthGBps", bandwidth / 1e9);
        using Checkpoint checkpoint = Checkpoint.Open(folder);
        // No prefix cache: the samples of a prefill have the same prompt, and all but the first would only look it up.
        TorchBackend backend = new(new TorchBackendOptions { Device = "cpu", Precision = precision });
        await using DeviceLoop loop = new(backend, new DeviceLoopOptions { ChannelTokens = 4096, PrefixCacheShare = 0 }, TimeProvider.System, NullLogger<DeviceLoop>.Instance);
        ResidentModel model = await loop.LoadAsync(checkpoint, CancellationToken.None);
        foreach (int batch in (int[])[1, 4, 16])
        {
            List<double> rates = [];
            for (int i = -1; i < Samples; i++)
            {
                // The first token comes with the prompt: time runs from there. The round before the first warms up.
                Generation[] generations = [.. Enumerable.Range(0, batch).Select(seed => Start(loop, model, 1, tokens + 1))];
                foreach (Generation generation in generations) await generation.Tokens.ReadAsync();
                long start = Stopwatch.GetTimestamp();
                foreach (Generation generation in generations) await generation.Completion;
                if (i >= 0) rates.Add(batch * tokens / Stopwatch.GetElapsedTime(start).TotalSeconds);
            }
            report.Add($"{name}.decode{batch}.tokensPerSecond", rates);
            report.Add($"{name}.decode{batch}.shareOfCeiling", rates.Order().ElementAt(Samples / 2) / (bandwidth / model.WeightBytes * batch));
        }
        foreach (int prompt in (int[])[128, Math.Min(512, model.Config.ContextLength - 1)])
        {
            List<double> rates = [];
            for (int i = -1; i < Samples; i++)
            {
                long start = Stopwatch.GetTimestamp();
                await Start(loop, model, prompt, 1).Completion;
                if (i >= 0) rates.Add(prompt / Stopwatch.GetElapsedTime(start).TotalSeconds);
            }
            report.Add($"{name}.prefill{prompt}.tokensPerSecond", rates);
        }
        await loop.UnloadAsync(model);
        AddLoad(report, $"{name}.loadAfter");
    }

    /// <summary>Processes that wanted a processor over the last minute, this one's included; only Linux tells.</summary>
    private static void AddLoad(BenchReport report, string figure)
    {
        const string LoadAverage = "/proc/loadavg";
        if (File.Exists(LoadAverage)) report.Add(figure, double.Parse(File.ReadAllText(LoadAverage).Split(' ')[0], CultureInfo.InvariantCulture));
    }

    private static Generation Start(DeviceLoop loop, ResidentModel model, int promptTokens, int newTokens) => loop.Start(model, new GenerationRequest
    {
        PromptIds = [.. Enumerable.Range(0, promptTokens).Select(i => 1 + i % 500)],
        Sampling = new SamplingOptions { Temperature = 0 },
        MaxNewTokens = newTokens,
    });
}
