using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using TinyLlm.EndToEnd.Tests.Harness;
using TinyLlm.Tests;

namespace TinyLlm.EndToEnd.Tests;

/// <summary>
/// What is withdrawn by one process ends what another one streams, and how soon: from the moment that the withdrawal is acknowledged until the stream has ended at its client.
/// </summary>
public sealed class ClusterRevocationTests(ITestOutputHelper output)
{
    /// <summary>Of each kind.</summary>
    private const int Rounds = 5;

    private static readonly TimeSpan s_promised = TimeSpan.FromSeconds(1);

    /// <summary>
    /// For a single one, so that it fails for a fault and not for a machine: these processes, their storage and the clients may share two busy cores, on which any of them can stand
    /// still for seconds. The half second that the promise is made of is shown by a clock, in RevocationTests.
    /// </summary>
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(10);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task TokenOrGrantRevoked_ByAnotherProcess_StreamsEndWithinASecond()
    {
        await using RunningCluster cluster = await RunningCluster.StartAsync(api: 2, core: 1, gpu: 1);
        using UserClient alice = await UserClient.CreateAsync(cluster.Api[0], "alice"), bob = await UserClient.CreateAsync(cluster.Api[0], "bob");
        await alice.UploadAsync("tiny", TinyModel.Files(contextLength: 65_536)); // which no stream fills before it is cut
        List<TimeSpan> tokens = [], grants = [];
        for (int round = 0; round < Rounds; round++)
        {
            await GrantAsync(alice);
            JsonNode made = await bob.PostAsync("api/tokens", new JsonObject { ["name"] = "t" }, HttpStatusCode.Created);
            using UserClient there = UserClient.Known(cluster.Api[1], "bob", (string)made["token"]!);
            tokens.Add(await EndAsync(there, () => bob.SendAsync(HttpMethod.Delete, $"api/tokens/{made["id"]}")));
            await there.GetAsync("api/me", HttpStatusCode.Unauthorized); // and the next request, at once

            using UserClient again = UserClient.Known(cluster.Api[1], bob);
            grants.Add(await EndAsync(again, () => alice.SendAsync(HttpMethod.Delete, "api/models/alice/tiny/grants/bob")));
            await again.GetAsync("v1/models/alice/tiny", HttpStatusCode.NotFound);
        }

        foreach ((string what, List<TimeSpan> times) in (ReadOnlySpan<(string, List<TimeSpan>)>)[("token", tokens), ("grant", grants)])
        {
            times.Sort();
            output.WriteLine($"{what} revoked, to the stream's end: {string.Join(", ", times.Select(time => $"{time.TotalMilliseconds:0}"))} ms");
            Assert.InRange(times[Rounds / 2], TimeSpan.Zero, s_promised);
            Assert.InRange(times[^1], TimeSpan.Zero, s_longest);
        }
    }

    private static async Task GrantAsync(UserClient alice)
    {
        using HttpResponseMessage granted = await alice.SendAsync(HttpMethod.Put, "api/models/alice/tiny/grants/bob", JsonContent.Create(new JsonObject { ["rights"] = new JsonArray("infer") }));
        Assert.Equal(HttpStatusCode.OK, granted.StatusCode);
    }

    /// <summary>Withdraws while the user's stream runs; answers how long after the acknowledgement it ended, which it does with an error.</summary>
    private static async Task<TimeSpan> EndAsync(UserClient user, Func<Task<HttpResponseMessage>> withdraw)
    {
        JsonObject body = new() { ["model"] = "alice/tiny", ["prompt"] = "Once", ["max_tokens"] = 60_000, ["temperature"] = 0, ["stream"] = true, ["ignore_eos"] = true };
        using HttpResponseMessage answer = await user.SendAsync(HttpMethod.Post, "v1/completions", JsonContent.Create(body));
        using StreamReader reader = new(await answer.Content.ReadAsStreamAsync(Cancel));
        Assert.StartsWith("data: {", await reader.ReadLineAsync(Cancel), StringComparison.Ordinal);
        Task<string> last = LastEventAsync(reader); // reads all the time, as clients do

        using HttpResponseMessage done = await withdraw();
        long since = Stopwatch.GetTimestamp();
        Assert.Equal(HttpStatusCode.NoContent, done.StatusCode);
        string end = await last;
        TimeSpan took = Stopwatch.GetElapsedTime(since);
        Assert.Contains("access_revoked", end, StringComparison.Ordinal);
        return took;
    }

    private static async Task<string> LastEventAsync(StreamReader reader)
    {
        string last = "";
        while (await reader.ReadLineAsync(Cancel) is { } line)
        {
            if (line.Length > 0) last = line;
        }
        return last;
    }
}
