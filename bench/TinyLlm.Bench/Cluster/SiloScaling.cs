using TinyLlm.Bench.Serve;
using TinyLlm.Tests;

namespace TinyLlm.Bench.Cluster;

/// <summary>What more silos bring: devices of one fixed speed, many models, and as much load as they can take, while silos join the running cluster.</summary>
internal static class SiloScaling
{
    // Slow enough that one machine can be eight of them beside the clients.
    private const int DeviceTokensPerSecond = 150;
    private const int Models = 64;
    private const int AnswerTokens = 16;

    private static readonly TimeSpan s_settle = TimeSpan.FromSeconds(8); // streams of the smaller cluster end, and the next go where they belong
    private static readonly TimeSpan s_window = TimeSpan.FromSeconds(8);

    public static async Task MeasureAsync(BenchReport report)
    {
        await using SimulatedCluster cluster = await SimulatedCluster.StartAsync(
            [.. ClusterBenchmark.NoLimits, "--Simulated:TokensPerSecond", $"{DeviceTokensPerSecond}"]);
        using HttpClient user = await cluster.Api.CreateUserAsync("bench");
        Dictionary<string, byte[]> files = TinyModel.Files();
        string[] models = [.. Enumerable.Range(0, Models).Select(i => $"tiny{i}")];
        foreach (string model in models) await HostProcess.PushAsync(user, model, files);
        await using StreamLoad load = new(models.Select(model => (user, model)), AnswerTokens);

        double one = 0;
        int silos = 1;
        foreach (int wanted in (int[])[1, 2, 4, 8])
        {
            for (; silos < wanted; silos++) await cluster.AddAsync("gpu");
            await load.RunAsync(s_settle);
            long tokens = load.Tokens;
            await load.RunAsync(s_window);
            double speed = (load.Tokens - tokens) / s_window.TotalSeconds;
            if (silos == 1) one = speed;
            report.Add($"silos{silos}TokensPerSecond", speed);
            if (silos > 1) report.Add($"silos{silos}ShareOfLinear", speed / (silos * one));
        }
    }
}
