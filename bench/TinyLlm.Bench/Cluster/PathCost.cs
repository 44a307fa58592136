using TinyLlm.Bench.Serve;
using TinyLlm.Tests;

namespace TinyLlm.Bench.Cluster;

/// <summary>
/// What the path from device to client costs by itself: tokens that clients received, over the processor time of the hosts alone. Devices of no cost
/// fill each stream as fast as it is read, so tokens travel together; a device of 100 tokens a second and stream sends each of them on its own.
/// </summary>
internal static class PathCost
{
    private const int Streams = 64;
    private const int AnswerTokens = 4000;
    private const int Windows = 10;
    private const int SinglyTokensPerSecond = Streams * 100;

    private static readonly TimeSpan s_warmUp = TimeSpan.FromSeconds(12); // the runtime optimises what it ran for a while
    private static readonly TimeSpan s_window = TimeSpan.FromSeconds(1);

    public static async Task MeasureEmbeddedAsync(BenchReport report)
    {
        using HostProcess host = await HostProcess.StartAsync(new HostSpec(HostSpec.Simulated, ClusterBenchmark.NoLimits));
        await MeasureAsync(report, "embedded", host, () => host.ProcessorTime);
    }

    public static async Task MeasureSinglyAsync(BenchReport report)
    {
        using HostProcess host = await HostProcess.StartAsync(
            new HostSpec(HostSpec.Simulated, [.. ClusterBenchmark.NoLimits, "--Simulated:TokensPerSecond", $"{SinglyTokensPerSecond}"]));
        await MeasureAsync(report, "embeddedSingly", host, () => host.ProcessorTime);
    }

    public static async Task MeasureAcrossProcessesAsync(BenchReport report)
    {
        await using SimulatedCluster cluster = await SimulatedCluster.StartAsync(ClusterBenchmark.NoLimits);
        await MeasureAsync(report, "acrossProcesses", cluster.Api, () => cluster.ProcessorTime);
    }

    private static async Task MeasureAsync(BenchReport report, string name, HostProcess api, Func<TimeSpan> processorTime)
    {
        using HttpClient user = await api.CreateUserAsync("bench");
        await HostProcess.PushAsync(user, "tiny", TinyModel.Files(contextLength: 2 * AnswerTokens));
        await using StreamLoad load = new(Enumerable.Repeat((user, "tiny"), Streams), AnswerTokens);
        await load.RunAsync(s_warmUp);
        List<double> perCore = [], perSecond = [];
        for (int i = 0; i < Windows; i++)
        {
            (long tokens, TimeSpan processor) = (load.Tokens, processorTime());
            await load.RunAsync(s_window);
            perSecond.Add((load.Tokens - tokens) / s_window.TotalSeconds);
            perCore.Add((load.Tokens - tokens) / (processorTime() - processor).TotalSeconds);
        }
        report.Add($"{name}TokensPerSecond", perSecond);
        report.Add($"{name}TokensPerSecondAndCore", perCore);
    }
}
