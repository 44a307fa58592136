using TinyLlm.SafeTensors.Tests.Fuzzing;

namespace TinyLlm.SafeTensors.Tests;

/// <summary>
/// A slice of the fuzz run. The whole:
/// <c>dotnet run -c Release --project bench/TinyLlm.Bench -- safetensors-fuzz --count 1000000 --seed 1</c>.
/// </summary>
public sealed class FuzzTests(ITestOutputHelper output)
{
    [Fact]
    public void Parse_TwentyThousandMutations_AgreesWithTheOracleWithinItsMemory()
    {
        FuzzReport report = FuzzRun.Execute(first: 0, count: 20_000, seed: 1, progress: null);

        output.WriteLine($"most allocated: {report.MaxAllocatedBytes} bytes, by input {report.MaxAllocatedInput}");
        output.WriteLine($"slowest: {report.Slowest.TotalMilliseconds:f1} ms");
        foreach ((SafeTensorsError error, long count) in report.RefusedBy.OrderBy(pair => pair.Key)) output.WriteLine($"{error}: {count}");
        Assert.InRange(report.MaxAllocatedBytes, 1, FuzzRun.MaxAllocatedBytes);
        Assert.InRange(report.Accepted, report.Count / 50, report.Count / 2);
        Assert.True(report.RefusedBy.Count >= 25, $"only {report.RefusedBy.Count} rules were reached");
    }
}
