using System.Net;
using System.Text.Json.Nodes;
using TinyLlm.EndToEnd.Tests.Harness;

namespace TinyLlm.EndToEnd.Tests;

/// <summary>Who belongs to a cluster of real processes: those that are slow do, those that are gone or silent for long do not.</summary>
public sealed class MembershipTests
{
    // A third of what counts as a death.
    private static readonly TimeSpan s_shortSilence = TimeSpan.FromSeconds(5);

    // What lives shorter is left to the probes.
    private static readonly TimeSpan s_shortLife = TimeSpan.FromSeconds(2.5);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Process_SilentForSecondsWhileItJoins_IsKeptAndSilentForLongIsNot()
    {
        await using RunningCluster cluster = await RunningCluster.StartAsync(api: 1, core: 1, gpu: 1);
        using UserClient admin = UserClient.Admin(cluster.Api[0]);
        Task joins = cluster.AddAsync("core", cluster.Core);
        await WaitForAsync(admin, states => states.Length == 4); // joining, which lasts a moment: nothing that it has said vouches for it

        RunningHost slow = cluster.Newest;
        await slow.FreezeAsync();
        await Task.Delay(s_shortSilence, Cancel); // what is tested: a silence of this length
        await slow.ThawAsync();
        await joins;
        await WaitForAsync(admin, states => states.Length == 4 && states.All(state => state == "active"));

        await slow.FreezeAsync();
        await WaitForAsync(admin, states => states.Length == 3);
        await slow.ThawAsync();
        Assert.NotEqual(0, await slow.EndedAsync()); // it learns that it was given up, and must not go on as if it owned anything
        using UserClient served = await UserClient.CreateAsync(cluster.Api[0], $"user-{Guid.NewGuid():N}");
    }

    [Fact]
    public async Task Process_Killed_IsNoMemberWithoutAnyProbe()
    {
        await using RunningCluster cluster = await RunningCluster.StartAsync(api: 1, core: 2, gpu: 1, "--TinyLlm:Cluster:MissedProbes", "100", "--TinyLlm:Cluster:ProbeInterval", "00:01:00");
        using UserClient admin = UserClient.Admin(cluster.Api[0]);
        await WaitForAsync(admin, states => states.Length == 4);
        await Task.Delay(s_shortLife, Cancel); // what is tested: a process that was a member for longer

        foreach (RunningHost killed in (RunningHost[])[cluster.Core[1], cluster.Gpu[0]])
        {
            int left = cluster.Roles.SelectMany(role => role).Count(host => !host.HasExited) - 1;
            killed.Kill();
            await WaitForAsync(admin, states => states.Length == left && states.All(state => state == "active"));
        }
    }

    /// <summary>Asks for the members until they are as they must be. Without an end of its own, but for the test's: what it waits for is certain to come.</summary>
    private static async Task WaitForAsync(UserClient admin, Func<string[], bool> isReached)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        limit.CancelAfter(TimeSpan.FromMinutes(2));
        string[] states = [];
        while (!isReached(states))
        {
            Assert.False(limit.IsCancellationRequested, $"the members are: {string.Join(", ", states)}");
            using HttpResponseMessage answer = await admin.SendAsync(HttpMethod.Get, "api/admin/silos");
            if (answer.StatusCode != HttpStatusCode.OK) continue;
            states = [.. JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancel))!["silos"]!.AsArray().Select(silo => (string)silo!["state"]!)];
        }
    }
}
