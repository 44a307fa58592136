namespace TinyLlm.Bench.Cluster;

/// <summary>
/// The cluster around its devices, which are simulated: the cost of the path, what more silos bring, and what loads do to warm models. --part runs one part alone.
/// </summary>
internal static class ClusterBenchmark
{
    /// <summary>So that no rate ends a measurement.</summary>
    public static readonly string[] NoLimits = ["--TinyLlm:Limits:TokensPerMinute", "1000000000000", "--TinyLlm:Limits:RequestsPerMinute", "1000000000"];

    public static int Run(string[] arguments) => RunAsync(new BenchArguments(arguments, "--part")).GetAwaiter().GetResult(); // a console program: there is no context to block

    private static async Task<int> RunAsync(BenchArguments options)
    {
        Dictionary<string, Func<BenchReport, Task>> parts = new(StringComparer.Ordinal)
        {
            ["embedded"] = PathCost.MeasureEmbeddedAsync,
            ["singly"] = PathCost.MeasureSinglyAsync,
            ["processes"] = PathCost.MeasureAcrossProcessesAsync,
            ["silos"] = SiloScaling.MeasureAsync,
            ["loads"] = WarmLatency.MeasureAsync,
        };
        string? only = options.Text("--part");
        if (only is not null && !parts.ContainsKey(only)) throw new ArgumentException($"part '{only}' is none of {string.Join(", ", parts.Keys)}");
        BenchReport report = new(
            "cluster",
            "the aims: 100,000 embeddedTokensPerSecondAndCore (the hosts' processors alone), shares of linear of 0.95, p95 ratios of 1.1; devices, clients and hosts share this machine");
        foreach ((string name, Func<BenchReport, Task> measure) in parts)
        {
            if (only is null || only == name) await measure(report);
        }
        return report.Finish(options.Out);
    }
}
