using TinyLlm.Bench.Serve;
using TinyLlm.Tests;

namespace TinyLlm.Bench.Cluster;

/// <summary>
/// What more silos bring: devices of one fixed speed, many models, and as much load as they can take, while silos join the running cluster. On one machine the path of all
/// of them must not be the limit, or the figure tells of the machine; so the devices are slow enough to leave the processors idle for the most part.
/// </summary>
internal static class SiloScaling
{
    private const int Models = 64;
    private const int DeviceTokensPerSecond = 100;

    private static readonly int[] s_sizes = [1, 2, 4, 8];
    private static readonly int[] s_answerTokens = [8, 13, 21, 34];
    private static readonly TimeSpan s_settle = TimeSpan.FromSeconds(15); // streams of the smaller cluster end, and what the runtime of the new processes compiles is compiled
    private static readonly TimeSpan s_window = TimeSpan.FromSeconds(50); // every client has begun and ended answers in it, also where one device serves all

    public static async Task MeasureAsync(BenchReport report)
    {
        await using SimulatedCluster cluster = await SimulatedCluster.StartAsync(
            [.. ClusterBenchmark.NoLimits, "--Simulated:TokensPerSecond", $"{DeviceTokensPerSecond}"]);
        using HttpClient user = await cluster.Api.CreateUserAsync("bench");
        Dictionary<string, byte[]> files = TinyModel.Files();
        string[] models = [.. Enumerable.Range(0, Models).Select(i => $"tiny{i}")];
        foreach (string model in models) await HostProcess.PushAsync(user, model, files);
        await using StreamLoad load = new(models.Select(model => (user, model)), s_answerTokens);

        double one = 0;
        int silos = 1;
        foreach (int wanted in s_sizes)
        {
            for (; silos < wanted; silos++) await cluster.AddAsync("gpu");
            await load.RunAsync(s_settle);
            (long tokens, TimeSpan processor) = (load.Tokens, ProcessorTime());
            await load.RunAsync(s_window);
            double speed = (load.Tokens - tokens) / s_window.TotalSeconds;
            if (silos == 1) one = speed;
            string name = $"silos{silos}";
            report.Add($"{name}TokensPerSecond", speed);
            report.Add($"{name}CoresUsed", (ProcessorTime() - processor) / s_window);
            if (silos > 1) report.Add($"{name}ShareOfLinear", speed / (silos * one));
        }

        TimeSpan ProcessorTime() => cluster.ProcessorTime + Environment.CpuUsage.TotalTime;
    }
}
