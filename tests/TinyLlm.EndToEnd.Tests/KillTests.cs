using System.Net;
using System.Text.Json.Nodes;
using TinyLlm.EndToEnd.Tests.Harness;

namespace TinyLlm.EndToEnd.Tests;

/// <summary>What the host has acknowledged outlives SIGKILL.</summary>
public sealed class KillTests
{
    [Fact]
    public async Task Kill_ThenStart_UsersTokensAndModelsAreThere()
    {
        await using RunningHost host = await RunningHost.StartNewAsync();
        string admin = host.AdminToken;
        using UserClient before = await UserClient.CreateAsync(host, "alice");
        await before.UploadStoriesAsync();
        JsonNode second = await before.PostAsync(
            "api/tokens", new JsonObject { ["name"] = "second", ["scopes"] = new JsonArray("read", "infer") }, HttpStatusCode.Created);
        string text = await before.CompleteAsync("stories", "Once upon a time", 20);

        host.Kill();
        await host.StartAsync();

        Assert.Equal(admin, host.AdminToken);
        using UserClient after = UserClient.Known(host, before);
        Assert.Equal("alice", (string?)(await after.GetAsync("api/me"))["id"]);
        Assert.Equal(["alice/stories"], (await after.GetAsync("v1/models"))["data"]!.AsArray().Select(model => (string?)model!["id"]));
        Assert.Equal(text, await after.CompleteAsync("stories", "Once upon a time", 20));
        Assert.Contains((string?)second["id"], (await after.GetAsync("api/tokens"))["tokens"]!.AsArray().Select(token => (string?)token!["id"]));
        using UserClient bob = await UserClient.CreateAsync(host, "bob");
        Assert.Empty((await bob.GetAsync("v1/models"))["data"]!.AsArray());
    }

    [Fact]
    public async Task Kill_RightAfterACommitsAnswer_TheVersionIsThere()
    {
        await using RunningHost host = await RunningHost.StartNewAsync();
        using UserClient before = await UserClient.CreateAsync(host, "alice");
        JsonNode committed = await before.UploadStoriesAsync();
        host.Kill();
        await host.StartAsync();

        using UserClient after = UserClient.Known(host, before);
        JsonNode detail = (await after.GetAsync("api/models/alice/stories"))["model"]!;
        Assert.Equal((int?)committed["version"], (int?)detail["version"]);
        Assert.Equal((string?)committed["digest"], (string?)detail["digest"]);
        GreedyCase wanted = Stories.GreedyCases()[1];
        Assert.Equal(wanted.NewText, await after.CompleteAsync("stories", wanted.Prompt, wanted.NewIds.Length));
    }

    [Fact]
    public async Task Kill_InTheMiddleOfAnUpload_TheUploadGoesOnWhereItWas()
    {
        await using RunningHost host = await RunningHost.StartNewAsync();
        using UserClient before = await UserClient.CreateAsync(host, "alice");
        Dictionary<string, byte[]> files = Stories.Files();
        string upload = await before.BeginUploadAsync("stories");
        foreach ((string name, byte[] bytes) in files.Where(file => file.Key != "model.safetensors")) await before.PutFileAsync("stories", upload, name, bytes);
        await before.PutFileAsync("stories", upload, "model.safetensors", files["model.safetensors"][..500_000]);
        host.Kill();
        await host.StartAsync();

        using UserClient after = UserClient.Known(host, before);
        string route = $"api/models/stories/uploads/{upload}/files/model.safetensors";
        using HttpResponseMessage head = await after.SendAsync(HttpMethod.Head, route);
        Assert.Equal(["500000"], head.Headers.GetValues("Upload-Offset"));
        using ByteArrayContent rest = new(files["model.safetensors"][500_000..]);
        rest.Headers.Add("Upload-Offset", "500000");
        using HttpResponseMessage put = await after.SendAsync(HttpMethod.Put, route, rest);
        Assert.True(put.IsSuccessStatusCode, await put.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal(1, (int?)(await after.CommitAsync("stories", upload))["version"]);
    }
}
