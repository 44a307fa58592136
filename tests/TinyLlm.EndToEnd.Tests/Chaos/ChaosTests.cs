using System.Diagnostics;
using System.Globalization;
using TinyLlm.EndToEnd.Tests.Harness;

namespace TinyLlm.EndToEnd.Tests.Chaos;

/// <summary>
/// A cluster whose processes die and leave all the time, under more load than the machine can do: clients that try twice are served, and nothing that was
/// acknowledged is lost. A minute by default; <c>TINYLLM_CHAOS_SECONDS</c> sets how long, and with it the seconds of an outage are held to their bound.
/// </summary>
public sealed class ChaosTests(ITestOutputHelper output, ChaosCluster running) : IClassFixture<ChaosCluster>
{
    private static readonly TimeSpan s_usual = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan s_longest = TimeSpan.FromMinutes(4);
    private static readonly TimeSpan s_betweenBlows = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_mostOutage = TimeSpan.FromSeconds(5);

    private static TimeSpan? Asked => Environment.GetEnvironmentVariable("TINYLLM_CHAOS_SECONDS") is { Length: > 0 } text
        ? TimeSpan.FromSeconds(int.Parse(text, CultureInfo.InvariantCulture))
        : null;

    [Fact]
    public async Task Processes_KilledOrDrainedAllTheTime_ServeClientsThatTryTwice()
    {
        RunningCluster cluster = await running.StartAsync();
        await using ChaosLoad load = await ChaosLoad.BeginAsync(cluster);
        long begun = Stopwatch.GetTimestamp();

        try
        {
            // A slow machine is given the time in which something happens between the blows.
            for (int blow = 0; Stopwatch.GetElapsedTime(begun) < (Asked ?? (load.HasBeenHit ? s_usual : s_longest)); blow++)
            {
                // Every role is killed and drained in turn; which of its processes, chance decides.
                List<RunningHost> role = cluster.Roles[blow % cluster.Roles.Count];
                RunningHost old = role[Random.Shared.Next(role.Count)];
                await StrikeAsync(cluster, load, role, old, isKill: blow / cluster.Roles.Count % 2 == 0);
            }
            await load.EndAsync(cluster.Api[0]);
        }
        finally
        {
            Report(load);
        }
        Assert.True(load.HasBeenHit, "nothing happened between the blows");
        // A minute has too few requests to show a thousandth: one of them is allowed for.
        Assert.True(load.Tally.Failed.Count() <= Math.Max(1, load.Tally.Requests / 1000), $"more than one request in a thousand failed: {load.Tally}");
        if (Asked is not null) Assert.True(load.Tally.OutageP99() <= s_mostOutage, $"an outage lasted more than {s_mostOutage.TotalSeconds} s: {load.Tally}");
    }

    [Fact]
    public async Task Processes_ReplacedOneAfterTheOther_FailNoRequest()
    {
        RunningCluster cluster = await running.StartAsync();
        await using ChaosLoad load = await ChaosLoad.BeginAsync(cluster);

        foreach (List<RunningHost> role in cluster.Roles)
        {
            foreach (RunningHost old in role.ToArray()) await ReplaceAsync(cluster, load, role, old, isKill: false);
        }

        await load.EndAsync(cluster.Api[0]);
        Report(load);
        Assert.Empty(load.Tally.Failed);
    }

    private async Task StrikeAsync(RunningCluster cluster, ChaosLoad load, List<RunningHost> role, RunningHost old, bool isKill)
    {
        Task pace = Task.Delay(s_betweenBlows, TestContext.Current.CancellationToken); // the run's measure, not a wait for anything
        await ReplaceAsync(cluster, load, role, old, isKill);
        await pace;
    }

    private async Task ReplaceAsync(RunningCluster cluster, ChaosLoad load, List<RunningHost> role, RunningHost old, bool isKill)
    {
        string what = $"{cluster.NameOf(role)} {(isKill ? "killed" : "drained")}";
        load.Tally.Strike(what);
        long begun = Stopwatch.GetTimestamp();
        if (isKill) old.Kill();
        else Assert.True(await old.StopAsync() == 0, old.Output);
        TimeSpan gone = Stopwatch.GetElapsedTime(begun);
        await cluster.ReplaceAsync(role, old);
        output.WriteLine($"{what}: gone after {gone.TotalSeconds:F1} s, replaced after {Stopwatch.GetElapsedTime(begun).TotalSeconds:F1} s");
        await load.CheckAsync();
        // A process that was taken for dead though it was alive ends itself.
        foreach (RunningHost host in cluster.Roles.SelectMany(list => list)) Assert.False(host.HasExited, $"a process ended that nobody had touched:\n{host.Output}");
    }

    private void Report(ChaosLoad load)
    {
        output.WriteLine($"{load.Tally}; {load.Commits} commits acknowledged");
        foreach ((TimeSpan outage, string what) in load.Tally.Outages().TakeLast(20)) output.WriteLine($"  {what}: {outage.TotalSeconds:F2} s");
        foreach (ChaosRequest slow in load.Tally.Slowest(10)) output.WriteLine($"  silent for {slow.Silence.TotalSeconds:F2} s of {slow.Lasted.TotalSeconds:F2} s: {slow.Kind} {string.Join(" | ", slow.Faults)}");
        foreach (ChaosRequest failed in load.Tally.Failed) output.WriteLine($"  failed: {string.Join(" | ", failed.Faults)}");
    }
}
