using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using TinyLlm.Grains.Residency;
using TinyLlm.Tests;

namespace TinyLlm.Host.Tests.Management;

/// <summary>Sharing over HTTP.</summary>
public sealed class GrantRoutesTests : IAsyncLifetime
{
    private TestHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await TestHost.StartAsync(new Accelerator(new SimulatedBackend()));

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Put_Infer_ModelIsListedAndAnswers_AndDeleteEndsIt()
    {
        using HttpClient owner = await _host.CreateUserAsync("owner"), other = await _host.CreateUserAsync("other");
        await TestHost.PushAsync(owner, "shared");
        await TestHost.PushAsync(owner, "private");
        await TestHost.PushAsync(other, "own");
        JsonElement put = await TestHost.Json(await owner.PutAsJsonAsync("/api/models/owner/shared/grants/other", new { rights = new[] { "infer" }, token_budget = 1000 }));
        Assert.Equal(("other", 1000), (put.GetProperty("user").GetString(), put.GetProperty("token_budget").GetInt32()));

        Assert.Equal(["other/own", "owner/shared"], await IdsAsync(other));
        Assert.Equal(["other/own", "owner/shared"], (await TestHost.Json(await other.GetAsync("/api/models"))).GetProperty("models").EnumerateArray().Select(model => model.GetProperty("id").GetString()));
        using HttpResponseMessage answer = await other.PostAsJsonAsync("/v1/completions", new { model = "owner/shared", prompt = "hello", max_tokens = 5 });
        JsonElement usage = (await TestHost.Json(answer)).GetProperty("usage");
        using HttpResponseMessage chat = await other.PostAsJsonAsync("/v1/chat/completions", new { model = "owner/shared@1", messages = new[] { new { role = "user", content = "a" } }, max_tokens = 5 });
        Assert.Equal(HttpStatusCode.OK, chat.StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await other.GetAsync("/v1/models/owner/shared")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await other.GetAsync("/api/models/owner/shared/versions")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await other.GetAsync("/api/models/owner/shared/versions/1/files/config.json")).StatusCode); // no right to download
        Assert.Equal(HttpStatusCode.NotFound, (await other.DeleteAsync("/v1/models/owner/shared")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await other.GetAsync("/api/models/owner/shared/grants")).StatusCode);

        JsonElement grant = (await TestHost.Json(await owner.GetAsync("/api/models/owner/shared/grants"))).GetProperty("grants").EnumerateArray().Single();
        Assert.True(grant.GetProperty("tokens_used").GetInt32() > usage.GetProperty("total_tokens").GetInt32());

        Assert.Equal(HttpStatusCode.NoContent, (await owner.DeleteAsync("/api/models/owner/shared/grants/other")).StatusCode);
        Assert.Equal(["other/own"], await IdsAsync(other));
        using HttpResponseMessage refused = await other.PostAsJsonAsync("/v1/completions", new { model = "owner/shared", prompt = "hello", max_tokens = 5 });
        Assert.Equal(HttpStatusCode.NotFound, refused.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await owner.DeleteAsync("/api/models/owner/shared/grants/other")).StatusCode);
    }

    [Fact]
    public async Task Put_Download_GivesTheFilesAndNoAnswer()
    {
        using HttpClient owner = await _host.CreateUserAsync("owner"), other = await _host.CreateUserAsync("other");
        await TestHost.PushAsync(owner, "m");
        using (await owner.PutAsJsonAsync("/api/models/owner/m/grants/other", new { rights = new[] { "download" } })) { }
        Assert.Equal(HttpStatusCode.OK, (await other.GetAsync("/api/models/owner/m/versions/1/files/config.json")).StatusCode);
        Assert.Equal(["owner/m"], await IdsAsync(other));
        using HttpResponseMessage refused = await other.PostAsJsonAsync("/v1/completions", new { model = "owner/m", prompt = "hello", max_tokens = 5 });
        Assert.Equal(HttpStatusCode.NotFound, refused.StatusCode);
    }

    [Fact]
    public async Task Put_Everyone_IsListedForAll_EvenThoseWhoComeLater()
    {
        using HttpClient owner = await _host.CreateUserAsync("owner");
        await TestHost.PushAsync(owner, "base");
        using (await owner.PutAsJsonAsync("/api/models/owner/base/grants/*", new { })) { }
        using HttpClient late = await _host.CreateUserAsync("late");
        Assert.Equal(["owner/base"], await IdsAsync(late));
        Assert.Equal(["owner/base"], await IdsAsync(owner)); // once

        // An allow-list narrows what is shared too.
        JsonElement token = await TestHost.Json(await late.PostAsJsonAsync("/api/tokens", new { name = "t", models = new[] { "nothing" } }));
        using HttpClient narrow = _host.Client(token.GetProperty("token").GetString());
        Assert.Empty(await IdsAsync(narrow));
        Assert.Equal(HttpStatusCode.NotFound, (await narrow.GetAsync("/v1/models/owner/base")).StatusCode);
    }

    [Fact]
    public async Task TokenBudget_UsedUp_Is429_AndAnOpenEndedAnswerStopsWithinIt()
    {
        using HttpClient owner = await _host.CreateUserAsync("owner"), other = await _host.CreateUserAsync("other");
        await TestHost.PushAsync(owner, "m");
        using (await owner.PutAsJsonAsync("/api/models/owner/m/grants/other", new { token_budget = 50 })) { }
        using HttpResponseMessage answer = await other.PostAsJsonAsync("/v1/chat/completions", new { model = "owner/m", messages = new[] { new { role = "user", content = "a" } }, ignore_eos = true });
        JsonElement json = await TestHost.Json(answer);
        Assert.Equal("length", json.GetProperty("choices")[0].GetProperty("finish_reason").GetString());
        using HttpResponseMessage refused = await other.PostAsJsonAsync("/v1/completions", new { model = "owner/m", prompt = "hello", max_tokens = 5 });
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.Contains("token budget", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("other", """{"rights":[]}""", 400)]
    [InlineData("other", """{"rights":["own"]}""", 400)]
    [InlineData("other", """{"token_budget":0}""", 400)]
    [InlineData("other", """{"expires_at":"2001-01-01T00:00:00Z"}""", 400)]
    [InlineData("other", """{"owner":"other"}""", 400)]
    [InlineData("owner", "{}", 400)]
    [InlineData("nobody", "{}", 404)]
    [InlineData("OTHER", "{}", 404)]
    public async Task Put_Malformed_IsRefused(string user, string body, int status)
    {
        using HttpClient owner = await _host.CreateUserAsync("owner"), other = await _host.CreateUserAsync("other");
        await TestHost.PushAsync(owner, "m");
        using HttpResponseMessage response = await owner.PutAsync($"/api/models/owner/m/grants/{user}", new StringContent(body, System.Text.Encoding.UTF8, "application/json"));
        Assert.True((int)response.StatusCode == status, await response.Content.ReadAsStringAsync());
        Assert.Empty(await IdsAsync(other));
    }

    private static async Task<IEnumerable<string?>> IdsAsync(HttpClient user) =>
        (await TestHost.Json(await user.GetAsync("/v1/models"))).GetProperty("data").EnumerateArray().Select(model => model.GetProperty("id").GetString()).ToArray();
}
