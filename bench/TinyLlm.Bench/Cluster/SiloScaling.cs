using TinyLlm.Bench.Serve;
using TinyLlm.Tests;

namespace TinyLlm.Bench.Cluster;

/// <summary>
/// What more silos bring: devices of one fixed speed, many models, and as much load as they can take, while silos join the running cluster. On one machine the path of all
/// of them must not be the limit, or the figure tells of the machine; so it is measured at two speeds, of which the slower leaves the processors idle for the most part.
/// </summary>
internal static class SiloScaling
{
    private const int Models = 64;
    private const int AnswerTokens = 16;

    private static readonly TimeSpan s_settle = TimeSpan.FromSeconds(15); // streams of the smaller cluster end, and what the runtime of the new processes compiles is compiled
    private static readonly TimeSpan s_window = TimeSpan.FromSeconds(8);

    public static async Task MeasureAsync(BenchReport report)
    {
        await MeasureAsync(report, deviceTokensPerSecond: 50, 1, 2, 4, 8);
        await MeasureAsync(report, deviceTokensPerSecond: 150, 1, 8);
    }

    private static async Task MeasureAsync(BenchReport report, int deviceTokensPerSecond, params int[] sizes)
    {
        await using SimulatedCluster cluster = await SimulatedCluster.StartAsync(
            [.. ClusterBenchmark.NoLimits, "--Simulated:TokensPerSecond", $"{deviceTokensPerSecond}"]);
        using HttpClient user = await cluster.Api.CreateUserAsync("bench");
        Dictionary<string, byte[]> files = TinyModel.Files();
        string[] models = [.. Enumerable.Range(0, Models).Select(i => $"tiny{i}")];
        foreach (string model in models) await HostProcess.PushAsync(user, model, files);
        await using StreamLoad load = new(models.Select(model => (user, model)), AnswerTokens);

        double one = 0;
        int silos = 1;
        foreach (int wanted in sizes)
        {
            for (; silos < wanted; silos++) await cluster.AddAsync("gpu");
            await load.RunAsync(s_settle);
            (long tokens, TimeSpan processor) = (load.Tokens, ProcessorTime());
            await load.RunAsync(s_window);
            double speed = (load.Tokens - tokens) / s_window.TotalSeconds;
            if (silos == 1) one = speed;
            string name = $"devicesOf{deviceTokensPerSecond}Silos{silos}";
            report.Add($"{name}TokensPerSecond", speed);
            report.Add($"{name}CoresUsed", (ProcessorTime() - processor) / s_window);
            if (silos > 1) report.Add($"{name}ShareOfLinear", speed / (silos * one));
        }

        TimeSpan ProcessorTime() => cluster.ProcessorTime + Environment.CpuUsage.TotalTime;
    }
}
