using System.Globalization;

namespace TinyLlm.EndToEnd.Tests.Crash;

/// <summary>
/// Nothing that the host acknowledged is lost, whenever it is killed. A slice of the kills by default; <c>TINYLLM_CRASH_KILLS</c> sets how many, and
/// <c>TINYLLM_CRASH_SEED</c> which.
/// </summary>
public sealed class CrashTests(ITestOutputHelper output)
{
    private const int FewKills = 8;
    private const int UsualSeed = 20_260_101;

    [Fact]
    public async Task Kill_AtRandomMomentsUnderUploadsAndReads_LosesAndMixesNothing()
    {
        await using CrashRun run = new(Setting("TINYLLM_CRASH_KILLS", FewKills), Setting("TINYLLM_CRASH_SEED", UsualSeed));

        output.WriteLine(await run.RunAsync());
    }

    private static int Setting(string variable, int usual) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : usual;
}
