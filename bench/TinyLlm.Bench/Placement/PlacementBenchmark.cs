using System.Diagnostics;
using System.Net;
using TinyLlm.Grains.Placement;
using TinyLlm.Grains.Replicas;
using TinyLlm.Storage;

namespace TinyLlm.Bench.Placement;

/// <summary>
/// The decision where a request is served, in a cluster of many silos that all have an accelerator: which silos there are, and the step of the route, at a version's home
/// and after home has declined; or the whole ranking, of which a replica of a hot model is one. Each sample is the mean of a hundred decisions for a hundred versions. Options: <c>--silos N</c>, <c>--samples N</c>.
/// </summary>
internal static class PlacementBenchmark
{
    private const int Versions = 100;
    private const int WarmUps = 500;

    public static int Run(string[] arguments)
    {
        BenchArguments options = new(arguments, "--silos", "--samples");
        int count = (int)options.Number("--silos", 200), samples = (int)options.Number("--samples", 2000);
        BenchReport report = new("placement", "sorting as many numbers (sortUs); the aim is 20 us at 200 silos");
        SiloAddress[] addresses = [.. Enumerable.Range(0, count).Select(i => SiloAddress.New(new IPEndPoint(new IPAddress([10, 0, (byte)(i / 250), (byte)(1 + (i % 250))]), 11111), 1000 + i))];
        SiloTable table = new(addresses, new SiloRoles { Core = false, Accelerator = "cuda", BudgetBytes = 1L << 34 });
        AcceleratorSilos silos = new(table, table);
        VersionId[] versions = [.. Enumerable.Range(0, Versions).Select(_ => VersionId.New())];
        long[] numbers = [.. Enumerable.Range(0, count).Select(_ => Random.Shared.NextInt64())];

        double[] home = Measure(samples, version => ServingRoute.Step(silos.Candidates(), versions[version].Value, declined: 0).Place);
        double[] overflow = Measure(samples, version => ServingRoute.Step(silos.Candidates(), versions[version].Value, declined: 1).Place);
        double[] replica = Measure(samples, version => silos.Candidates().Ranked(versions[version].Value).Length == count ? ServingPlace.Any : ServingPlace.Home);
        double[] sort = Measure(samples, _ =>
        {
            long[] copy = [.. numbers];
            Array.Sort(copy);
            return ServingPlace.Any;
        });
        report.Add("silos", count);
        report.Add("homeUs", home);
        report.Add("overflowUs", overflow);
        report.Add("replicaUs", replica);
        report.Add("sortUs", sort);
        return report.Finish(options.Out);
    }

    /// <summary>Microseconds a decision. What is decided is kept, so that it can't be optimised away.</summary>
    private static double[] Measure(int samples, Func<int, ServingPlace> decide)
    {
        double[] microseconds = new double[samples];
        int decided = 0;
        for (int sample = -WarmUps; sample < samples; sample++)
        {
            long began = Stopwatch.GetTimestamp();
            for (int version = 0; version < Versions; version++) decided += (int)decide(version);
            if (sample >= 0) microseconds[sample] = Stopwatch.GetElapsedTime(began).TotalMicroseconds / Versions;
        }
        return decided >= 0 ? microseconds : throw new InvalidOperationException("A place has no negative number.");
    }
}
