using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using TinyLlm.Engine;

namespace TinyLlm.Bench.Engine;

/// <summary>
/// Greedy generation through a device's loop, sampling and channels included: tokens per second of 1, 4 and 16 sequences together, and of
/// prompts, beside the ceiling that memory sets. Weights that stay in the processor's cache may exceed that ceiling; it is then marked by a
/// share above 1. <c>--model DIR</c> adds a real one (stories260K).
/// </summary>
internal static class EngineBenchmark
{
    private const int Samples = 7;

    public static int Run(string[] arguments)
    {
        BenchArguments options = new(arguments, "--model", "--tokens");
        int tokens = (int)options.Number("--tokens", 64);
        double bandwidth = MemoryBandwidth.Measure();
        BenchReport report = new("engine", $"bytes of weights over measured bandwidth, {bandwidth / 1e9:f1} GB/s on {Environment.ProcessorCount} processors, times the batch");
        report.Add("bandwidthGBps", bandwidth / 1e9);
        DirectoryInfo folder = Directory.CreateTempSubdirectory("tinyllm-bench-");
        try
        {
            string? real = options.Text("--model");
            if (real is not null) Measure(report, "stories260K", real, bandwidth, tokens).GetAwaiter().GetResult();
            string small = BenchModels.Write(Path.Combine(folder.FullName, "15M"), 6, 288, 768, 6, 6, 32000);
            Measure(report, "shape15M", small, bandwidth, tokens).GetAwaiter().GetResult();
            string large = BenchModels.Write(Path.Combine(folder.FullName, "135M"), 30, 576, 1536, 9, 3, 49152);
            Measure(report, "shape135M", large, bandwidth, tokens / 2).GetAwaiter().GetResult();
        }
        finally
        {
            folder.Delete(recursive: true);
        }
        return report.Finish(options.Out);
    }

    private static async Task Measure(BenchReport report, string name, string folder, double bandwidth, int tokens)
    {
        using Checkpoint checkpoint = Checkpoint.Open(folder);
        TorchBackend backend = new(new TorchBackendOptions { Device = "cpu" });
        await using DeviceLoop loop = new(backend, new DeviceLoopOptions { ChannelTokens = 4096 }, TimeProvider.System, NullLogger<DeviceLoop>.Instance);
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
        foreach (int prompt in (int[])[128, 511])
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
    }

    private static Generation Start(DeviceLoop loop, ResidentModel model, int promptTokens, int newTokens) => loop.Start(model, new GenerationRequest
    {
        PromptIds = [.. Enumerable.Range(0, promptTokens).Select(i => 1 + i % 500)],
        Sampling = new SamplingOptions { Temperature = 0 },
        MaxNewTokens = newTokens,
    });
}
