using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using TinyLlm.EndToEnd.Tests.Harness;

namespace TinyLlm.EndToEnd.Tests;

/// <summary>A user's rate is one, however many processes take the user's requests.</summary>
public sealed class ClusterLimitTests
{
    private const int Clients = 100;
    private const int PerMinute = 300;

    /// <summary>What the clients offer, as a multiple of the limit.</summary>
    private const int Pressure = 10;

    /// <summary>What must have been offered at the least, as a multiple of the limit.</summary>
    private const int LeastPressure = 2;

    /// <summary>From then on the least pressure will do: a slow machine lets them offer less.</summary>
    private static readonly TimeSpan Usual = TimeSpan.FromSeconds(20);

    /// <summary>The clients stop then in any case.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(3);

    [Fact]
    public async Task HundredClients_ThroughTwoApiProcesses_AreAcceptedAsTheLimitSays()
    {
        await using RunningCluster cluster = await RunningCluster.StartAsync(api: 2, core: 1, gpu: 0);
        using UserClient alice = await UserClient.CreateAsync(cluster.Api[0], $"user-{Guid.NewGuid():N}");
        using (UserClient admin = UserClient.Admin(cluster.Api[0]))
        {
            JsonObject quota = new() { ["requests_per_minute"] = PerMinute };
            using HttpResponseMessage set = await admin.SendAsync(HttpMethod.Put, $"api/admin/users/{alice.Name}/quota", JsonContent.Create(quota));
            Assert.Equal(HttpStatusCode.OK, set.StatusCode);
        }

        long begun = Stopwatch.GetTimestamp();
        using (HttpResponseMessage first = await alice.SendAsync(HttpMethod.Get, "api/tokens")) Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        long filling = Stopwatch.GetTimestamp(); // the user's bucket was full a moment ago, and fills from then on
        long accepted = 1, offered = 1, lastEmpty = filling;
        long[] acceptedBy = new long[2];
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(async number =>
        {
            int process = number % 2;
            using UserClient client = UserClient.Known(cluster.Api[process], alice);
            // Until the pressure was there and each process has had a part: the one that comes to speed first may take the whole first filling.
            while (!(IsPressed() && HaveBoth()) && Stopwatch.GetElapsedTime(begun) < Longest)
            {
                long sent = Stopwatch.GetTimestamp();
                using HttpResponseMessage answer = await client.SendAsync(HttpMethod.Get, "api/tokens");
                Interlocked.Increment(ref offered);
                if (answer.StatusCode == HttpStatusCode.OK)
                {
                    Interlocked.Increment(ref accepted);
                    Interlocked.Increment(ref acceptedBy[process]);
                    continue;
                }
                Assert.Equal(HttpStatusCode.TooManyRequests, answer.StatusCode);
                for (long seen = Interlocked.Read(ref lastEmpty); seen < sent; seen = Interlocked.Read(ref lastEmpty)) Interlocked.CompareExchange(ref lastEmpty, sent, seen);
            }
        }));

        bool IsPressed() => Interlocked.Read(ref offered) > (Stopwatch.GetElapsedTime(begun) < Usual ? Pressure : LeastPressure + 1) * Limit(begun, Stopwatch.GetTimestamp());

        bool HaveBoth() => Interlocked.Read(ref acceptedBy[0]) > 0 && Interlocked.Read(ref acceptedBy[1]) > 0;

        // After the last refusal was asked for, the bucket was empty: whatever had flown in until then was accepted.
        double least = Limit(filling, lastEmpty), most = Limit(begun, Stopwatch.GetTimestamp());
        string figures = $"offered {offered}, accepted {accepted} ({acceptedBy[0]} and {acceptedBy[1]}), the limit {least:0} to {most:0}";
        TestContext.Current.SendDiagnosticMessage(figures);
        Assert.True(offered > LeastPressure * most, $"too few requests to show anything: {figures}");
        Assert.All(acceptedBy, count => Assert.True(count > 0, figures));
        Assert.True(accepted >= 0.98 * least && accepted <= 1.02 * most, figures);
    }

    /// <summary>What a full bucket and its refill give between two moments.</summary>
    private static double Limit(long from, long to) => PerMinute * (1 + Stopwatch.GetElapsedTime(from, to).TotalMinutes);
}
