using System.Net;
using System.Text.Json.Nodes;
using TinyLlm.EndToEnd.Tests.Harness;

namespace TinyLlm.EndToEnd.Tests;

/// <summary>Names are people's, identities are the host's: equal names never meet each other's models.</summary>
public sealed class SameNameTests(SharedHost shared)
{
    [Fact]
    public async Task SameModelName_TwoOwners_EachGetsItsOwn()
    {
        using UserClient alice = await shared.NewUserAsync("alice");
        using UserClient bob = await shared.NewUserAsync("bob");
        JsonNode first = await alice.UploadStoriesAsync();
        JsonNode second = await bob.UploadAsync("stories", Silenced());
        Assert.NotEqual((string?)first["digest"], (string?)second["digest"]);

        string story = Stories.GreedyCases()[1].NewText;
        Assert.StartsWith(await alice.CompleteAsync("stories", "Once upon a time", 10), story, StringComparison.Ordinal);
        Assert.NotEqual(story[..10], (await bob.CompleteAsync("stories", "Once upon a time", 10)).PadRight(10)[..10]);
        Assert.StartsWith(await alice.CompleteAsync($"{alice.Name}/stories", "Once upon a time", 10), story, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RecreatedModel_SameName_NeverMeetsTheOldWeights()
    {
        using UserClient alice = await shared.NewUserAsync("alice");
        await alice.UploadStoriesAsync();
        string before = await alice.CompleteAsync("stories", "Once upon a time", 10);
        using (HttpResponseMessage deleted = await alice.SendAsync(HttpMethod.Delete, "v1/models/stories")) Assert.True(deleted.IsSuccessStatusCode);
        await alice.PostAsync("v1/completions", new JsonObject { ["model"] = "stories", ["prompt"] = "Once" }, HttpStatusCode.NotFound);

        JsonNode again = await alice.UploadAsync("stories", Silenced());
        Assert.True((int)again["version"]! > 1, "a version's number is never used again");
        Assert.NotEqual(before, await alice.CompleteAsync("stories", "Once upon a time", 10));
        await alice.PostAsync("v1/completions", new JsonObject { ["model"] = "stories@1", ["prompt"] = "Once" }, HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task NewVersion_NewestIsTheDefault_OlderOnesAreReachedByNumber()
    {
        using UserClient alice = await shared.NewUserAsync("alice");
        await alice.UploadStoriesAsync();
        string first = await alice.CompleteAsync("stories", "Once upon a time", 10);
        await alice.UploadAsync("stories", Silenced());
        string second = await alice.CompleteAsync("stories", "Once upon a time", 10);
        Assert.NotEqual(first, second);
        Assert.Equal(first, await alice.CompleteAsync($"{alice.Name}/stories@1", "Once upon a time", 10));
        Assert.Equal(second, await alice.CompleteAsync($"{alice.Name}/stories@2", "Once upon a time", 10));
    }

    [Fact]
    public async Task UserNames_ThatDifferOnlyInCase_AreOneName()
    {
        using UserClient admin = UserClient.Admin(shared.Host);
        using UserClient first = await UserClient.CreateAsync(shared.Host, "Case-Sensitive");
        await admin.PostAsync("api/users", new JsonObject { ["id"] = "case-sensitive" }, HttpStatusCode.Conflict);
        Assert.Equal("Case-Sensitive", (string?)(await first.GetAsync("api/me"))["id"]);
    }

    [Fact]
    public async Task ModelNames_ThatDifferOnlyInCase_AreNeverTwoModels()
    {
        using UserClient alice = await shared.NewUserAsync("alice");
        using UserClient bob = await shared.NewUserAsync("bob");
        await alice.UploadStoriesAsync("Stories");
        await bob.UploadAsync("stories", Silenced());

        // The same name for its owner, whatever becomes of a second spelling: one model, and never the other user's.
        using HttpResponseMessage begun = await alice.SendAsync(HttpMethod.Post, "api/models/stories/uploads");
        Assert.True(begun.StatusCode is HttpStatusCode.Created or HttpStatusCode.Conflict, $"{begun.StatusCode}");
        Assert.Single((await alice.GetAsync("api/models"))["models"]!.AsArray());
        string story = Stories.GreedyCases()[1].NewText;
        Assert.StartsWith(await alice.CompleteAsync("Stories", "Once upon a time", 10), story, StringComparison.Ordinal);
        Assert.NotEqual(story[..10], (await bob.CompleteAsync("stories", "Once upon a time", 10)).PadRight(10)[..10]);
    }

    // The same architecture with another voice: every element of the output norm is zero, so all tokens are alike to it.
    private static Dictionary<string, byte[]> Silenced()
    {
        Dictionary<string, byte[]> files = Stories.Files();
        WeightsFile weights = WeightsFile.Parse(files["model.safetensors"]);
        weights.BytesOf("model.norm.weight").Clear();
        files["model.safetensors"] = weights.ToBytes();
        return files;
    }
}
