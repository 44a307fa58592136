using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using TinyLlm.EndToEnd.Tests.Harness;
using TinyLlm.Tests;

namespace TinyLlm.EndToEnd.Tests.Attacks;

/// <summary>
/// A host with two users whose things are worth having, each with strings that nobody else may ever see, and mallory, who has an account. Everything
/// that mallory is answered is kept.
/// </summary>
public sealed partial class AttackGround : IAsyncLifetime
{
    private readonly ConcurrentQueue<string> seen = [];
    private RunningHost? host;
    private int serial;

    internal RunningHost Host => host ?? throw new InvalidOperationException("the host has not been started");

    internal UserClient Alice { get; private set; } = null!;

    internal UserClient Bob { get; private set; } = null!;

    internal UserClient Mallory { get; private set; } = null!;

    /// <summary>What only one user knows: by user, in names, files, templates and prompts.</summary>
    internal Dictionary<string, string> Canaries { get; } = [];

    public async ValueTask InitializeAsync()
    {
        // Rates are what another suite attacks; here they would only hide what a request does.
        using HttpClient client = new();
        // Every method is compiled once: what grows is what requests left behind, and not better code for what they use often (16 MiB of it by the sixth
        // repetition). What is left, some 0.7 MiB a repetition over sixty of them, is kept on purpose and for a time: idle grains for 15 minutes, and 16
        // blocks of prefix cache a repetition for 10. malloc's arenas have no part in it: with sixteen of them and with two it is the same.
        host = await RunningHost.StartNewAsync(
            new RunningHost { Environment = new Dictionary<string, string> { ["DOTNET_TieredCompilation"] = "0" } }, client, "--urls", "http://127.0.0.1:0", "--TinyLlm:Access:FailedAuthenticationsPerMinute", "1000000", "--TinyLlm:Access:AnonymousRequestsPerMinute", "1000000");
        Alice = await UserClient.CreateAsync(Host, "alice");
        Bob = await UserClient.CreateAsync(Host, "bob");
        Mallory = await UserClient.CreateAsync(Host, "mallory");
        foreach (UserClient user in (UserClient[])[Alice, Bob, Mallory]) await user.LiftRatesAsync(Host);
        await Mallory.UploadAsync("tiny", TinyModel.Files());
        foreach (UserClient user in (UserClient[])[Alice, Bob])
        {
            await user.UploadAsync("tiny", TinyModel.Files());
            if (user == Alice)
            {
                await user.UploadAsync("shared", TinyModel.Files());
                using HttpResponseMessage granted = await user.SendAsync(HttpMethod.Put, "api/models/alice/shared/grants/*", JsonContent.Create(new JsonObject { ["rights"] = new JsonArray("infer") }));
                Assert.Equal(HttpStatusCode.OK, granted.StatusCode);
            }
            string canary = $"canary{Guid.NewGuid():N}";
            Canaries[user.Name] = canary;
            Dictionary<string, byte[]> files = TinyModel.Files();
            files["README.md"] = Encoding.UTF8.GetBytes($"# {canary}\n");
            files["chat_template.jinja"] = Encoding.UTF8.GetBytes("{% for message in messages %}{{ message.content }}{% endfor %}{# " + canary + " #}" + canary);
            await user.UploadAsync(canary, files);
            JsonNode answer = await user.PostAsync("v1/chat/completions", new JsonObject
            {
                ["model"] = canary, ["max_tokens"] = 2, ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = canary }),
            });
            Assert.NotNull(answer["choices"]);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Alice?.Dispose();
        Bob?.Dispose();
        Mallory?.Dispose();
        if (host is not null) await host.DisposeAsync();
    }

    /// <summary>A name that mallory has not used.</summary>
    internal string NewName(string prefix) => $"{prefix}{Interlocked.Increment(ref serial)}";

    /// <summary>A request of mallory's.</summary>
    internal Task<RawAnswer> SendAsync(string method, string target, byte[]? body = null, params string[] headers) =>
        KeepAsync(RawHttp.SendAsync(Host.Url, method, target, Mallory.Token, body, headers));

    internal Task<RawAnswer> SendJsonAsync(string method, string target, string json) =>
        SendAsync(method, target, Encoding.UTF8.GetBytes(json), "Content-Type: application/json");

    /// <summary>Bytes as they are.</summary>
    internal Task<RawAnswer> SendBytesAsync(string request) => KeepAsync(RawHttp.SendAsync(Host.Url, Encoding.Latin1.GetBytes(request)));

    /// <summary>A completion by mallory's own model, with more members.</summary>
    internal Task<RawAnswer> CompleteAsync(string moreMembers) =>
        SendJsonAsync("POST", "/v1/completions", $$"""{"model":"tiny","prompt":"a","max_tokens":2{{moreMembers}}}""");

    /// <summary>Uploads files as mallory; the answer is that of the commit, or of the first file that was refused. Nothing of it stays.</summary>
    internal async Task<RawAnswer> PushAsync(IReadOnlyDictionary<string, byte[]> files)
    {
        string model = NewName("attack");
        string upload = await Mallory.BeginUploadAsync(model);
        foreach ((string name, byte[] bytes) in files)
        {
            RawAnswer put = await SendAsync("PUT", $"/api/models/{model}/uploads/{upload}/files/{name}", bytes);
            if (put.Status == 200) continue;
            Assert.Equal(204, (await SendAsync("DELETE", $"/api/models/{model}/uploads/{upload}")).Status);
            return put;
        }
        RawAnswer commit = await SendAsync("POST", $"/api/models/{model}/uploads/{upload}/commit", []);
        if (commit.Status == 201)
        {
            RawAnswer used = await SendJsonAsync("POST", "/v1/chat/completions", $$"""{"model":"{{model}}","max_tokens":2,"messages":[{"role":"user","content":"hello"}]}""");
            Assert.Equal(200, (await SendAsync("DELETE", $"/api/models/mallory/{model}")).Status);
            return used;
        }
        return commit;
    }

    /// <summary>The routes that the host describes, as "METHOD /path/{parameter}".</summary>
    internal async Task<List<string>> RoutesAsync()
    {
        RawAnswer described = await RawHttp.SendAsync(Host.Url, "GET", "/openapi/v1.json", null);
        string json = described.Head.Contains("chunked", StringComparison.OrdinalIgnoreCase) ? ChunkPattern().Replace(described.Body, "") : described.Body;
        return [.. JsonNode.Parse(json)!["paths"]!.AsObject().SelectMany(path => path.Value!.AsObject().Select(method => $"{method.Key.ToUpperInvariant()} {path.Key}"))];
    }

    /// <summary>A refusal, with one of these statuses, that tells nothing of the host's insides.</summary>
    internal static void Refused(RawAnswer answer, params int[] statuses)
    {
        Assert.True(statuses.Contains(answer.Status), $"expected {string.Join(" or ", statuses)}, got {answer.Head}\n{answer.Body}");
        Assert.Equal(1, answer.Answers);
        Assert.DoesNotMatch(Inside(), answer.Head + answer.Body);
    }

    /// <summary>Refused by a route or a filter of ours: with problem details, or OpenAI's error object.</summary>
    internal static void RefusedInWords(RawAnswer answer, params int[] statuses)
    {
        Refused(answer, statuses);
        JsonElement error = JsonDocument.Parse(answer.Body).RootElement;
        Assert.True(error.TryGetProperty("error", out _) || error.TryGetProperty("traceId", out _), answer.Body);
    }

    /// <summary>The host is well, and serves others as before.</summary>
    internal async Task StillServesAsync()
    {
        using UserClient nobody = UserClient.Nobody(Host);
        await nobody.GetAsync("healthz/ready");
        Assert.NotNull((await Bob.PostAsync("v1/completions", new JsonObject { ["model"] = "tiny", ["prompt"] = "Hello", ["max_tokens"] = 2 }))["choices"]);
        Assert.Equal(3, (await Alice.GetAsync("v1/models"))["data"]!.AsArray().Count);
    }

    /// <summary>No canary in anything that mallory was answered, in no answer to its owner's neighbour, in no line of the log and no metric.</summary>
    internal async Task CanariesAreKeptAsync()
    {
        string metrics = await BodyAsync(UserClient.Admin(Host), "metrics");
        string openApi = await BodyAsync(UserClient.Nobody(Host), "openapi/v1.json");
        string operators = await BodyAsync(UserClient.Admin(Host), "api/admin/audit") + await BodyAsync(UserClient.Admin(Host), "api/users");
        foreach ((string owner, string canary) in Canaries)
        {
            UserClient neighbour = owner == "alice" ? Bob : Alice;
            string others = await BodyAsync(neighbour, "v1/models") + await BodyAsync(neighbour, "api/models") + await BodyAsync(neighbour, "api/me/audit")
                + await BodyAsync(neighbour, "api/me/usage") + await BodyAsync(Mallory, "v1/models") + await BodyAsync(Mallory, "api/me/audit") + await BodyAsync(Mallory, "api/me/usage");
            foreach (string text in (string[])[.. seen, metrics, openApi, operators, others, Host.Output]) Assert.DoesNotContain(canary, text, StringComparison.OrdinalIgnoreCase);
            Assert.Contains(canary, await BodyAsync(owner == "alice" ? Alice : Bob, "v1/models"), StringComparison.Ordinal); // and its owner sees it
        }
        Assert.NotEmpty(seen);
    }

    private static async Task<string> BodyAsync(UserClient caller, string route)
    {
        using HttpResponseMessage answer = await caller.SendAsync(HttpMethod.Get, route);
        Assert.True(answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.NotFound, $"{route}: {answer.StatusCode}");
        return await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
    }

    private async Task<RawAnswer> KeepAsync(Task<RawAnswer> sending)
    {
        RawAnswer answer = await sending;
        seen.Enqueue(answer.Head + answer.Body);
        return answer;
    }

    /// <summary>Exception texts, type names, stack traces, paths.</summary>
    [GeneratedRegex(@"Exception|\bSystem\.|TinyLlm\.(Host|Grains|Storage|Engine|Text|SafeTensors)|Orleans|Microsoft\.|   at |/tmp/|/home/|\.cs:|tinyllm-e2e|admin-token")]
    private static partial Regex Inside();

    [GeneratedRegex(@"(^|\r\n)[0-9a-f]+\r\n|\r\n0?\r\n$")]
    private static partial Regex ChunkPattern();
}
