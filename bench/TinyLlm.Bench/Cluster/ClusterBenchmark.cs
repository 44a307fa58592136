namespace TinyLlm.Bench.Cluster;

/// <summary>The cluster around its devices, which are simulated; three benchmarks: what the path costs by itself, what more silos bring, and what loads do to warm models.</summary>
internal static class ClusterBenchmark
{
    /// <summary>So that no rate ends a measurement.</summary>
    public static readonly string[] NoLimits = ["--TinyLlm:Limits:TokensPerMinute", "1000000000000", "--TinyLlm:Limits:RequestsPerMinute", "1000000000"];

    public static int RunPath(string[] arguments) => Run(
        "cluster",
        "the aim: 100,000 embeddedTokensPerSecondAndCore (the hosts' processors alone); clients and hosts share this machine",
        arguments,
        PathCost.MeasureEmbeddedAsync,
        PathCost.MeasureSinglyAsync,
        PathCost.MeasureAcrossProcessesAsync);

    public static int RunSilos(string[] arguments) => Run(
        "silos",
        "the aim: shares of linear of 0.95; all silos, clients and stores share this machine, so CoresUsed, of the hosts and the clients, must stay well below its cores",
        arguments,
        SiloScaling.MeasureAsync);

    public static int RunLoads(string[] arguments) => Run("loads", "the aim: p95 ratios of 1.1", arguments, WarmLatency.MeasureAsync);

    private static int Run(string name, string ceiling, string[] arguments, params Func<BenchReport, Task>[] parts)
    {
        BenchArguments options = new(arguments);
        BenchReport report = new(name, ceiling);
        foreach (Func<BenchReport, Task> measure in parts) measure(report).GetAwaiter().GetResult(); // a console program: there is no context to block
        return report.Finish(options.Out);
    }
}
