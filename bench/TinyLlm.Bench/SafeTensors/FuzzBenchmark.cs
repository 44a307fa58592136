using System.Diagnostics;
using TinyLlm.SafeTensors;
using TinyLlm.SafeTensors.Tests.Fuzzing;

namespace TinyLlm.Bench.SafeTensors;

/// <summary>
/// The fuzz run of the tests at any length: <c>--count N --seed S</c>, and <c>--first I</c> to begin at the input that a failure named. Fails with
/// an exception that names the input.
/// </summary>
internal static class FuzzBenchmark
{
    private const int ProgressEvery = 50_000;

    public static int Run(string[] arguments)
    {
        BenchArguments options = new(arguments, "--count", "--seed", "--first");
        long count = options.Number("--count", 1_000_000);
        long seed = options.Number("--seed", 1);
        BenchReport report = new(
            "safetensors-fuzz",
            $"64 MiB ({FuzzRun.MaxAllocatedBytes} bytes) allocated while one input is read, all allocations added up; "
            + "a disagreement with the oracle ends the run");

        long started = Stopwatch.GetTimestamp();
        FuzzReport fuzz = FuzzRun.Execute(options.Number("--first", 0), count, (ulong)seed, done =>
        {
            if (done % ProgressEvery != 0) return;
            Console.Error.WriteLine($"{done} of {count} after {Stopwatch.GetElapsedTime(started).TotalSeconds:f0} s");
        });

        report.Add("inputs", fuzz.Count);
        report.Add("seed", seed);
        report.Add("accepted", fuzz.Accepted);
        report.Add("maxAllocatedBytes", fuzz.MaxAllocatedBytes);
        report.Add("slowestMs", fuzz.Slowest.TotalMilliseconds);
        report.Add("seconds", Stopwatch.GetElapsedTime(started).TotalSeconds);
        foreach ((SafeTensorsError error, long refused) in fuzz.RefusedBy.OrderBy(pair => pair.Key)) report.Add($"refused.{error}", refused);
        return report.Finish(options.Out);
    }
}
