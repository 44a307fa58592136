using System.Globalization;
using Microsoft.Diagnostics.NETCore.Client;
using System.Diagnostics.Tracing;

namespace TinyLlm.EndToEnd.Tests.Attacks;

/// <summary>
/// Everything that attackers try, over real HTTP against a real process, each followed by a check that the host still serves.
/// </summary>
public sealed class AttackTests(AttackGround ground, ITestOutputHelper log) : IClassFixture<AttackGround>
{
    private const long MaxGrowthBytes = 16 << 20;

    /// <summary>The runtime keeps the memory of a region that a collection freed until some twenty more have passed it by: after one, it is as good as used.</summary>
    private const int CollectionsUntilFreed = 25;

    private static readonly Attack[] s_attacks = [.. PathAttacks.All, .. FileAttacks.All, .. FieldAttacks.All, .. WireAttacks.All];

    public static TheoryData<string> Names => [.. s_attacks.Select(attack => attack.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Attack_IsRefusedAndTheHostStillServes(string name)
    {
        await Assert.Single(s_attacks, attack => attack.Name == name).RunAsync(ground);
        await ground.StillServesAsync();
    }

    /// <summary>The whole suite ten times: memory does not grow, and what only one user knows was seen by nobody else.</summary>
    [Fact]
    public async Task Attacks_TenTimes_MemoryDoesNotGrowAndCanariesAreKept()
    {
        long second = 0;
        for (int repetition = 1; repetition <= 10; repetition++)
        {
            foreach (Attack attack in s_attacks) await attack.RunAsync(ground);
            await ground.StillServesAsync();
            if (repetition is not (2 or 10)) continue;
            for (int i = 1; i < CollectionsUntilFreed; i++) await CollectAsync(ground.Host.ProcessId);
            long resident = await ResidentBytesAfterCollectionAsync(ground.Host.ProcessId);
            log.WriteLine($"repetition {repetition}: {resident / 1024} KiB resident");
            if (repetition == 2) second = resident;
            if (repetition == 10) Assert.True(resident - second < MaxGrowthBytes, $"resident memory grew from {second} to {resident} bytes");
        }
        await ground.CanariesAreKeptAsync();
    }

    /// <summary>Asks the runtime of the process for a full collection, as diagnostic tools do.</summary>
    private static async Task CollectAsync(int processId)
    {
        const long collect = 0x800000; // the runtime's keyword GCHeapCollect
        DiagnosticsClient client = new(processId);
        using EventPipeSession session = client.StartEventPipeSession(new EventPipeProvider("Microsoft-Windows-DotNETRuntime", EventLevel.Informational, collect), requestRundown: false);
        Task drained = session.EventStream.CopyToAsync(Stream.Null, TestContext.Current.CancellationToken);
        await session.StopAsync(TestContext.Current.CancellationToken);
        await drained;
    }

    /// <summary>A full collection, and what the system counts for the process after that.</summary>
    private static async Task<long> ResidentBytesAfterCollectionAsync(int processId)
    {
        await CollectAsync(processId);
        string line = (await File.ReadAllLinesAsync($"/proc/{processId}/status", TestContext.Current.CancellationToken)).First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(line.AsSpan("VmRSS:".Length).Trim()[..^" kB".Length], CultureInfo.InvariantCulture) * 1024;
    }
}
