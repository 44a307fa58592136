using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using TinyLlm.EndToEnd.Tests.Harness;

namespace TinyLlm.EndToEnd.Tests;

/// <summary>Another user's model and one that never was answer alike, on every route that takes a model.</summary>
public sealed class OtherOwnerTests(SharedHost shared)
{
    [Fact]
    public async Task AnotherUsersModel_EveryRoute_AnswersLikeAMissingOne()
    {
        using UserClient alice = await shared.NewUserAsync("alice");
        using UserClient bob = await shared.NewUserAsync("bob");
        await alice.UploadStoriesAsync();
        string upload = await alice.BeginUploadAsync("stories");

        // Each as (what it asks of alice's model, the same of a model that is not there); names of one length, so that lengths can't differ.
        string existing = $"{alice.Name}/stories";
        string missing = $"{alice.Name}/nothing";
        (HttpMethod Method, string Route, JsonObject? Body)[] requests =
        [
            (HttpMethod.Get, "v1/models/MODEL", null),
            (HttpMethod.Get, "v1/models/MODEL@1", null),
            (HttpMethod.Delete, "v1/models/MODEL", null),
            (HttpMethod.Delete, "v1/models/MODEL@1", null),
            (HttpMethod.Post, "v1/completions", new() { ["model"] = "MODEL", ["prompt"] = "Once" }),
            (HttpMethod.Post, "v1/completions", new() { ["model"] = "MODEL@1", ["prompt"] = "Once", ["stream"] = true }),
            (HttpMethod.Post, "v1/chat/completions", new() { ["model"] = "MODEL", ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = "Hi" }) }),
            (HttpMethod.Get, "api/models/MODEL", null),
            (HttpMethod.Get, "api/models/MODEL/versions", null),
            (HttpMethod.Get, "api/models/MODEL/versions/1/files/config.json", null),
            (HttpMethod.Delete, "api/models/MODEL/versions/1", null),
            (HttpMethod.Delete, "api/models/MODEL", null),
        ];
        foreach ((HttpMethod method, string route, JsonObject? body) in requests)
        {
            string ofExisting = await RefusalAsync(bob, method, route.Replace("MODEL", existing, StringComparison.Ordinal), With(body, existing));
            string ofMissing = await RefusalAsync(bob, method, route.Replace("MODEL", missing, StringComparison.Ordinal), With(body, missing));
            Assert.Equal(ofMissing, ofExisting);
        }

        // Routes of the caller's own uploads: alice's upload id helps nobody else.
        foreach ((HttpMethod method, string rest) in ((HttpMethod, string)[])[(HttpMethod.Put, "/files/config.json"), (HttpMethod.Post, "/commit"), (HttpMethod.Delete, "")])
        {
            string ofExisting = await RefusalAsync(bob, method, $"api/models/stories/uploads/{upload}{rest}", null);
            string ofMissing = await RefusalAsync(bob, method, $"api/models/stories/uploads/{new string('x', upload.Length)}{rest}", null);
            Assert.Equal(ofMissing, ofExisting);
        }

        // None of it did anything, and the owner is served.
        Assert.Equal([existing], (await alice.GetAsync("v1/models"))["data"]!.AsArray().Select(model => (string?)model!["id"]));
        Assert.NotEmpty(await alice.CompleteAsync(existing, "Once", 2));
        using HttpResponseMessage abandoned = await alice.SendAsync(HttpMethod.Delete, $"api/models/stories/uploads/{upload}");
        Assert.Equal(HttpStatusCode.NoContent, abandoned.StatusCode);
    }

    [Fact]
    public async Task Lists_OfAnotherUser_NameOnlyItsOwnModels()
    {
        using UserClient alice = await shared.NewUserAsync("alice");
        using UserClient bob = await shared.NewUserAsync("bob");
        await alice.UploadStoriesAsync();
        Assert.Empty((await bob.GetAsync("v1/models"))["data"]!.AsArray());
        Assert.Empty((await bob.GetAsync("api/models"))["models"]!.AsArray());
    }

    private static JsonObject? With(JsonObject? body, string model)
    {
        if (body is null) return null;
        JsonObject copy = body.DeepClone().AsObject();
        copy["model"] = ((string)copy["model"]!).Replace("MODEL", model, StringComparison.Ordinal);
        return copy;
    }

    // Status, headers that could tell, and body without the trace id.
    private static async Task<string> RefusalAsync(UserClient caller, HttpMethod method, string route, JsonObject? body)
    {
        using HttpResponseMessage answer = await caller.SendAsync(method, route, body is null ? null : JsonContent.Create(body));
        string text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(answer.StatusCode == HttpStatusCode.NotFound, $"{method} {route}: {answer.StatusCode} {text}");
        JsonObject parsed = JsonNode.Parse(text)!.AsObject();
        parsed.Remove("traceId");
        return $"{answer.Content.Headers.ContentType} {parsed.ToJsonString()}";
    }
}
