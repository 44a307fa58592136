using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using TinyLlm.EndToEnd.Tests.Harness;

namespace TinyLlm.EndToEnd.Tests;

/// <summary>Processes of every role with Redis and Azurite between them: what one process took in, the others serve, and one that is gone is not missed.</summary>
public sealed class ClusterTests
{
    private static readonly Lazy<GreedyCase> s_case = new(() => Stories.GreedyCases()[0]);

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private static string Prompt => s_case.Value.Prompt;

    private static int Tokens => s_case.Value.NewIds.Length;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Cluster_ProcessesComeAndGo_ServesTheSameText()
    {
        await using RunningCluster cluster = await RunningCluster.StartAsync(api: 2, core: 2, gpu: 2);

        // 1. Made and pushed through one process, used through the other; the text is the reference's.
        using UserClient alice = await UserClient.CreateAsync(cluster.Api[0], NewName());
        await alice.UploadStoriesAsync();
        using UserClient elsewhere = UserClient.Known(cluster.Api[1], alice);
        string text = await elsewhere.CompleteAsync("stories", Prompt, Tokens);
        Assert.Equal(s_case.Value.NewText, text);
        Assert.Equal(text, await alice.CompleteAsync($"{alice.Name}/stories", Prompt, Tokens));

        // 2. Of a hundred commits of one upload, through both, one publishes; the others are told of it, or of the conflict.
        string upload = await alice.BeginUploadAsync("raced");
        foreach ((string name, byte[] bytes) in Stories.Files()) await alice.PutFileAsync("raced", upload, name, bytes);
        HttpResponseMessage[] commits = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => Task.Run(
            () => (i % 2 == 0 ? alice : elsewhere).SendAsync(HttpMethod.Post, $"api/models/raced/uploads/{upload}/commit"), Cancel)));
        ILookup<HttpStatusCode, string> answers = (await Task.WhenAll(commits.Select(async commit => (commit.StatusCode, Body: await commit.Content.ReadAsStringAsync(Cancel)))))
            .ToLookup(answer => answer.StatusCode, answer => answer.Body);
        Assert.Single(answers[HttpStatusCode.Created].Distinct());
        Assert.Equal(100, answers[HttpStatusCode.Created].Count() + answers[HttpStatusCode.Conflict].Count());
        Assert.Single((await elsewhere.GetAsync($"api/models/{alice.Name}/raced/versions"))["versions"]!.AsArray());
        Assert.Equal(text, await elsewhere.CompleteAsync("raced", Prompt, Tokens));
        foreach (HttpResponseMessage commit in commits) commit.Dispose();

        // 3. A process of each role dies without a word. A client that asks again is served as before.
        cluster.Gpu[0].Kill();
        Assert.Equal(text, await CompleteWithRetriesAsync(alice, elsewhere));
        cluster.Core[0].Kill();
        Assert.Equal(text, await CompleteWithRetriesAsync(alice, elsewhere));
        cluster.Api[0].Kill();
        Assert.Equal(text, await CompleteWithRetriesAsync(alice, elsewhere));

        // 4. What they acknowledged is there, and new ones take their places.
        await cluster.AddAsync("core", cluster.Core);
        await cluster.AddAsync("gpu", cluster.Gpu);
        await cluster.AddAsync("api", cluster.Api);
        using UserClient joined = UserClient.Known(cluster.Api[^1], alice);
        Assert.Equal(["raced", "stories"], (await joined.GetAsync("api/models"))["models"]!.AsArray().Select(model => (string?)model!["model"]));
        await joined.UploadStoriesAsync("more");
        cluster.Gpu[1].Kill();
        Assert.Equal(text, await CompleteWithRetriesAsync(joined, elsewhere));
    }

    [Fact]
    public async Task GpuProcess_ToldToStop_EndsItsStreamsAndTakesNoMore()
    {
        await using RunningCluster cluster = await RunningCluster.StartAsync(api: 1, core: 1, gpu: 2);
        using UserClient alice = await UserClient.CreateAsync(cluster.Api[0], NewName());
        await alice.UploadStoriesAsync();
        string text = await alice.CompleteAsync("stories", Prompt, Tokens);

        // Load throughout, while both processes that generate are replaced, one after the other.
        using CancellationTokenSource replaced = new();
        Task<int>[] clients = [.. Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            int answers = 0;
            while (!replaced.IsCancellationRequested)
            {
                Assert.Equal(text, await alice.CompleteAsync("stories", Prompt, Tokens)); // no retry: a process that leaves fails nobody
                answers++;
            }
            return answers;
        }, Cancel))];
        foreach (RunningHost old in cluster.Gpu.ToArray())
        {
            await cluster.AddAsync("gpu", cluster.Gpu);
            Assert.Equal(0, await old.StopAsync());
        }
        await replaced.CancelAsync();

        Assert.All(await Task.WhenAll(clients), answers => Assert.True(answers > 0));
    }

    /// <summary>A name that no other user has.</summary>
    private static string NewName() => $"user-{Guid.NewGuid():N}";

    /// <summary>
    /// What a client does that means to be served: asks again at the other address, and after a 503 waits as long as it is told to. Until a silence is
    /// known for a death, a few probes pass; more than half a minute is too long.
    /// </summary>
    private static async Task<string> CompleteWithRetriesAsync(params UserClient[] clients)
    {
        JsonObject body = new() { ["model"] = "stories", ["prompt"] = Prompt, ["temperature"] = 0, ["max_tokens"] = Tokens };
        long begun = Stopwatch.GetTimestamp();
        for (int attempt = 0; ; attempt++)
        {
            string refusal;
            try
            {
                using HttpResponseMessage answer = await clients[attempt % clients.Length].SendAsync(HttpMethod.Post, "v1/completions", JsonContent.Create(body));
                string text = await answer.Content.ReadAsStringAsync(Cancel);
                if (answer.StatusCode == HttpStatusCode.OK) return (string)JsonNode.Parse(text)!["choices"]![0]!["text"]!;
                Assert.True(answer.StatusCode == HttpStatusCode.ServiceUnavailable, $"{answer.StatusCode}: {text}");
                refusal = text;
                await Task.Delay(answer.Headers.RetryAfter?.Delta ?? TimeSpan.Zero, Cancel); // the client's own patience, not the test's
            }
            catch (HttpRequestException gone)
            {
                refusal = gone.Message;
            }
            Assert.True(Stopwatch.GetElapsedTime(begun) < s_patience, $"not served within {s_patience}: {refusal}");
        }
    }
}
