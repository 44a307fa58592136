using System.Net;
using System.Text.Json.Nodes;
using TinyLlm.EndToEnd.Tests.Harness;
using TinyLlm.Tests;

namespace TinyLlm.EndToEnd.Tests;

/// <summary>What a host logs when it is told to log everything that it can, the frameworks below it included.</summary>
public sealed class LogTests
{
    /// <summary>More exact than what the host sets itself, so that these count.</summary>
    private static readonly string[] s_categories =
        ["Azure", "Microsoft", "Microsoft.AspNetCore", "Orleans", "System", "TinyLlm.Engine", "TinyLlm.Grains", "TinyLlm.Host", "TinyLlm.Host.Access", "TinyLlm.Storage", "TinyLlm.Text"];

    [Fact]
    public async Task EveryLevelOfTheLog_OnTheEmbeddedHost_HoldsNoPromptCompletionOrToken()
    {
        using HttpClient client = new();
        await using RunningHost host = await RunningHost.StartNewAsync(client, ["--urls", "http://127.0.0.1:0", .. EveryLevel()]);
        await PlayAsync(host, () => host.Output);
    }

    /// <summary>Here prompts and answers travel between processes.</summary>
    [Fact]
    public async Task EveryLevelOfTheLog_OnACluster_HoldsNoPromptCompletionOrToken()
    {
        await using RunningCluster cluster = await RunningCluster.StartAsync(api: 1, core: 1, gpu: 1, EveryLevel());
        await PlayAsync(cluster.Api[0], () => cluster.Api[0].Output + cluster.Core[0].Output + cluster.Gpu[0].Output);
    }

    private static string[] EveryLevel() => [.. s_categories.SelectMany(category => (string[])[$"--Logging:LogLevel:{category}", "Trace"])];

    private static async Task PlayAsync(RunningHost host, Func<string> output)
    {
        using UserClient alice = await UserClient.CreateAsync(host, "alice");
        await alice.UploadAsync("tiny", TinyModel.Files());
        await alice.UploadStoriesAsync(); // it answers in words, which are found again
        string prompt = $"prompt{Guid.NewGuid():N}";
        List<string> secrets = [prompt, alice.Token, host.AdminToken];

        JsonObject completion = new() { ["model"] = "stories", ["prompt"] = $"{prompt} Once upon a time", ["max_tokens"] = 24, ["temperature"] = 0, ["ignore_eos"] = true };
        secrets.Add((string)(await alice.PostAsync("v1/completions", completion))["choices"]![0]!["text"]!);
        completion["seed"] = 1;
        completion["temperature"] = 1;
        secrets.Add(string.Concat((await alice.StreamAsync("v1/completions", completion)).Select(chunk => (string?)chunk["choices"]?[0]?["text"])));
        await alice.PostAsync("v1/chat/completions", new JsonObject
        {
            ["model"] = "tiny", ["max_tokens"] = 2, ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = prompt }),
        });
        await alice.PostAsync("v1/embeddings", new JsonObject { ["model"] = "tiny", ["input"] = prompt });
        await alice.PostAsync("tokenize", new JsonObject { ["model"] = "tiny", ["prompt"] = prompt });
        JsonNode made = await alice.PostAsync("api/tokens", new JsonObject { ["name"] = "second" }, HttpStatusCode.Created);
        using UserClient second = UserClient.Known(host, "alice", (string)made["token"]!);
        await second.GetAsync("api/me");
        secrets.Add(second.Token);

        // And what is refused.
        await alice.PostAsync("v1/completions", new JsonObject { ["model"] = "absent", ["prompt"] = prompt }, HttpStatusCode.NotFound);
        await alice.PostAsync("v1/completions", new JsonObject { ["model"] = "tiny", ["prompt"] = prompt, ["max_tokens"] = -1 }, HttpStatusCode.BadRequest);
        using (HttpResponseMessage deleted = await alice.SendAsync(HttpMethod.Delete, $"api/tokens/{made["id"]}")) Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        await second.GetAsync("api/me", HttpStatusCode.Unauthorized);
        using (UserClient guess = UserClient.Known(host, "alice", alice.Token[..^1])) await guess.GetAsync("api/me", HttpStatusCode.Unauthorized);

        string log = output();
        Assert.Contains("trce:", log, StringComparison.Ordinal); // it does log everything
        Assert.All(secrets, secret => Assert.True(secret.Length > 16 && !secret.Any(char.IsControl), $"'{secret}' would not be found"));
        Assert.All(secrets, secret => Assert.DoesNotContain(secret, log, StringComparison.Ordinal));
    }
}
