using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Residency;
using TinyLlm.Grains.Tests;
using TinyLlm.Host.OpenAi;
using TinyLlm.Tests;

namespace TinyLlm.Host.Tests.OpenAi;

/// <summary>keep_alive on the wire: what it means, and whose counts.</summary>
public sealed class KeepAliveTests
{
    [Theory]
    [InlineData("300", 300_000)]
    [InlineData("0", 0)]
    [InlineData("0.25", 250)]
    [InlineData("\"10m\"", 600_000)]
    [InlineData("\"1h30m\"", 5_400_000)]
    [InlineData("\"1.5s\"", 1_500)]
    [InlineData("\"500ms\"", 500)]
    [InlineData("\"0\"", 0)]
    [InlineData("\"+2m\"", 120_000)]
    [InlineData("8760", 8_760_000)]
    public void Parse_ANumberOrADuration_IsThatTime(string json, double milliseconds) =>
        Assert.Equal(KeepAlive.For(TimeSpan.FromMilliseconds(milliseconds)), KeepAliveField.Parse(Json(json)));

    [Theory]
    [InlineData("-1")]
    [InlineData("\"-1m\"")]
    public void Parse_BelowZero_Pins(string json) => Assert.Equal(KeepAlive.Pinned, KeepAliveField.Parse(Json(json)));

    [Theory]
    [InlineData("\"10\"")]
    [InlineData("\"10 minutes\"")]
    [InlineData("\"\"")]
    [InlineData("\"m\"")]
    [InlineData("\"8761h\"")]
    [InlineData("1e300")]
    [InlineData("true")]
    [InlineData("[]")]
    [InlineData("\"999999999999999999h999999999999999999h\"")]
    public void Parse_AnythingElse_IsRefusedNamingTheField(string json)
    {
        RequestException refusal = Assert.Throws<RequestException>(() => KeepAliveField.Parse(Json(json)));
        Assert.Equal((RequestError.Malformed, "keep_alive"), (refusal.Error, refusal.Parameter));
    }

    [Fact]
    public async Task Requests_OfTheOwnerDecide_AndThoseOfOthersAreToldThatTheyDont()
    {
        await using TestHost host = await TestHost.StartAsync(new Accelerator(new SimulatedBackend()));
        using HttpClient alice = await host.CreateUserAsync("alice"), bob = await host.CreateUserAsync("bobby");
        await TestHost.PushAsync(alice, "m");
        Assert.True((await alice.PutAsJsonAsync("/api/models/alice/m/grants/bobby", new { rights = new[] { "infer" } })).IsSuccessStatusCode);

        using (HttpResponseMessage mine = await CompleteAsync(alice, "m", "1h"))
            Assert.False(mine.Headers.Contains("tinyllm-ignored-fields"));
        JsonElement model = await ResidentAsync(host);
        DateTimeOffset expiry = model.GetProperty("expires_at").GetDateTimeOffset();
        Assert.InRange(expiry, DateTimeOffset.UtcNow.AddMinutes(50), DateTimeOffset.UtcNow.AddMinutes(61));

        using (HttpResponseMessage theirs = await CompleteAsync(bob, "alice/m", 0))
            Assert.Equal("keep_alive", Assert.Single(theirs.Headers.GetValues("tinyllm-ignored-fields")));
        Assert.NotEqual(JsonValueKind.Null, (await ResidentAsync(host)).GetProperty("expires_at").ValueKind);

        using (await CompleteAsync(alice, "m", 0)) await Eventually.TrueAsync(() => host.Models.Snapshot().Models == 0);
    }

    [Fact]
    public async Task Load_BringsAModelIn_AndASettingWithTheRightPinsIt()
    {
        await using TestHost host = await TestHost.StartAsync(new Accelerator(new SimulatedBackend()));
        using HttpClient alice = await host.CreateUserAsync("alice"), bob = await host.CreateUserAsync("bobby");
        await TestHost.PushAsync(alice, "m");
        Assert.Equal(0, host.Models.Snapshot().Models);

        Assert.True((await LoadAsync(alice)).GetProperty("loaded").GetBoolean());
        Assert.False((await LoadAsync(alice)).GetProperty("loaded").GetBoolean());
        Assert.Equal(1, host.Models.Snapshot().Models);
        Assert.Equal(HttpStatusCode.NotFound, (await bob.PostAsync("/api/models/alice/m/load", null)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await bob.PutAsJsonAsync("/api/models/alice/m/keep-alive", new { keep_alive = -1 })).StatusCode);

        // Pinning takes the operator's permission.
        Assert.Equal(HttpStatusCode.OK, (await alice.PutAsJsonAsync("/api/models/alice/m/keep-alive", new { keep_alive = -1 })).StatusCode);
        await LoadAsync(alice);
        JsonElement unpinned = await ResidentAsync(host);
        Assert.False(unpinned.GetProperty("pinned").GetBoolean());
        Assert.Equal(HttpStatusCode.OK, (await host.Admin.PutAsJsonAsync("/api/admin/users/alice/quota", new { pinned_bytes = unpinned.GetProperty("bytes").GetInt64() })).StatusCode);
        await LoadAsync(alice);
        Assert.True((await ResidentAsync(host)).GetProperty("pinned").GetBoolean());

        Assert.Equal(HttpStatusCode.OK, (await alice.PutAsJsonAsync("/api/models/alice/m/keep-alive", new { keep_alive = (string?)null })).StatusCode);
        await LoadAsync(alice);
        Assert.False((await ResidentAsync(host)).GetProperty("pinned").GetBoolean());
        Assert.Equal(HttpStatusCode.BadRequest, (await alice.PutAsJsonAsync("/api/models/alice/m/keep-alive", new { keep_alive = "soon" })).StatusCode);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Load_WithABody_KeepsTheModelThatLong_WhetherItsLengthWasToldOrNot(bool inChunks)
    {
        await using TestHost host = await TestHost.StartAsync(new Accelerator(new SimulatedBackend()));
        using HttpClient alice = await host.CreateUserAsync("alice");
        await TestHost.PushAsync(alice, "m");

        using HttpRequestMessage request = new(HttpMethod.Post, "/api/models/alice/m/load") { Content = JsonContent.Create(new { keep_alive = "1h" }) };
        if (inChunks) request.Headers.TransferEncodingChunked = true;
        else await request.Content.LoadIntoBufferAsync();
        Assert.Equal(HttpStatusCode.OK, (await alice.SendAsync(request)).StatusCode);
        DateTimeOffset expiry = (await ResidentAsync(host)).GetProperty("expires_at").GetDateTimeOffset();
        Assert.InRange(expiry, DateTimeOffset.UtcNow.AddMinutes(50), DateTimeOffset.UtcNow.AddMinutes(61));
    }

    [Fact]
    public async Task Embeddings_OfTheOwnerDecide_AndThoseOfOthersAreToldThatTheyDont()
    {
        await using TestHost host = await TestHost.StartAsync(new Accelerator(new SimulatedBackend()));
        using HttpClient alice = await host.CreateUserAsync("alice"), bob = await host.CreateUserAsync("bobby");
        await TestHost.PushAsync(alice, "m");
        Assert.True((await alice.PutAsJsonAsync("/api/models/alice/m/grants/bobby", new { rights = new[] { "infer" } })).IsSuccessStatusCode);

        using (HttpResponseMessage mine = await EmbedAsync(alice, "m", "1h")) Assert.False(mine.Headers.Contains("tinyllm-ignored-fields"));
        DateTimeOffset expiry = (await ResidentAsync(host)).GetProperty("expires_at").GetDateTimeOffset();
        Assert.InRange(expiry, DateTimeOffset.UtcNow.AddMinutes(50), DateTimeOffset.UtcNow.AddMinutes(61));

        using (HttpResponseMessage theirs = await EmbedAsync(bob, "alice/m", 0))
            Assert.Equal("keep_alive", Assert.Single(theirs.Headers.GetValues("tinyllm-ignored-fields")));
        Assert.NotEqual(JsonValueKind.Null, (await ResidentAsync(host)).GetProperty("expires_at").ValueKind);

        using (await EmbedAsync(alice, "m", 0)) await Eventually.TrueAsync(() => host.Models.Snapshot().Models == 0);
        using HttpResponseMessage malformed = await alice.PostAsJsonAsync("/v1/embeddings", new { model = "m", input = "a", keep_alive = "soon" });
        Assert.Equal(HttpStatusCode.BadRequest, malformed.StatusCode);
    }

    private static async Task<HttpResponseMessage> EmbedAsync(HttpClient client, string model, object keepAlive)
    {
        HttpResponseMessage response = await client.PostAsJsonAsync("/v1/embeddings", new { model, input = "a", keep_alive = keepAlive });
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return response;
    }

    private static async Task<JsonElement> LoadAsync(HttpClient client)
    {
        using HttpResponseMessage response = await client.PostAsync("/api/models/alice/m/load", null);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await TestHost.Json(response);
    }

    private static async Task<HttpResponseMessage> CompleteAsync(HttpClient client, string model, object keepAlive)
    {
        HttpResponseMessage response = await client.PostAsJsonAsync("/v1/completions", new { model, prompt = "a", max_tokens = 2, keep_alive = keepAlive });
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return response;
    }

    private static async Task<JsonElement> ResidentAsync(TestHost host)
    {
        // The answer is with its client a moment before the model is let go.
        await Eventually.TrueAsync(() => host.Models.Snapshot().Holds == 0);
        using HttpResponseMessage response = await host.Admin.GetAsync("/api/admin/models/resident");
        return Assert.Single((await TestHost.Json(response)).GetProperty("models").EnumerateArray());
    }

    private static JsonElement Json(string text) => JsonDocument.Parse(text).RootElement;
}
