using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using TinyLlm.Grains.Usage;

namespace TinyLlm.Host.Tests.Management;

public sealed class TokenRoutesTests(TestHostFixture fixture) : IClassFixture<TestHostFixture>
{
    [Fact]
    public async Task Create_NarrowerToken_MayDoOnlyThat()
    {
        using HttpClient user = await fixture.Host.CreateUserAsync("narrow");
        JsonElement made = await TestHost.Json(await user.PostAsJsonAsync("/api/tokens", new { name = "reader", scopes = new[] { "read" } }));
        using HttpClient reader = fixture.Host.Client(made.GetProperty("token").GetString());
        Assert.Equal(HttpStatusCode.OK, (await reader.GetAsync("/v1/models")).StatusCode);
        using HttpResponseMessage begin = await reader.PostAsync("/api/models/m/uploads", null);
        Assert.Equal(HttpStatusCode.Forbidden, begin.StatusCode);
        Assert.Contains("'write'", await begin.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task CreateAndRevoke_WiderToken_IsRefused()
    {
        using HttpClient user = await fixture.Host.CreateUserAsync("wider");
        JsonElement made = await TestHost.Json(await user.PostAsJsonAsync("/api/tokens", new { name = "w", scopes = new[] { "write" } }));
        using HttpClient writer = fixture.Host.Client(made.GetProperty("token").GetString());
        using HttpResponseMessage wider = await writer.PostAsJsonAsync("/api/tokens", new { name = "x", scopes = new[] { "write", "read" } });
        Assert.Equal(HttpStatusCode.Forbidden, wider.StatusCode);
        using HttpResponseMessage admin = await user.PostAsJsonAsync("/api/tokens", new { name = "x", scopes = new[] { "admin" } });
        Assert.Equal(HttpStatusCode.Forbidden, admin.StatusCode);
        using HttpResponseMessage unknown = await user.PostAsJsonAsync("/api/tokens", new { name = "x", scopes = new[] { "root" } });
        Assert.Equal(HttpStatusCode.BadRequest, unknown.StatusCode);

        JsonElement first = (await TestHost.Json(await user.GetAsync("/api/tokens"))).GetProperty("tokens").EnumerateArray().First();
        using HttpResponseMessage revoked = await writer.DeleteAsync($"/api/tokens/{first.GetProperty("id").GetString()}");
        Assert.Equal(HttpStatusCode.Forbidden, revoked.StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, (await user.DeleteAsync($"/api/tokens/{made.GetProperty("id").GetString()}")).StatusCode);
    }

    [Fact]
    public async Task Create_WithAllowList_HidesTheOtherModels()
    {
        using HttpClient user = await fixture.Host.CreateUserAsync("allow");
        await TestHost.PushAsync(user, "one");
        await TestHost.PushAsync(user, "two");
        JsonElement made = await TestHost.Json(await user.PostAsJsonAsync("/api/tokens", new { name = "t", models = new[] { "one" } }));
        using HttpClient limited = fixture.Host.Client(made.GetProperty("token").GetString());
        JsonElement list = await TestHost.Json(await limited.GetAsync("/v1/models"));
        Assert.Equal("allow/one", list.GetProperty("data").EnumerateArray().Single().GetProperty("id").GetString());
        Assert.Equal(HttpStatusCode.OK, (await limited.GetAsync("/api/models/allow/one")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await limited.GetAsync("/api/models/allow/two")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await limited.DeleteAsync("/api/models/allow/two")).StatusCode);
        using HttpResponseMessage wider = await limited.PostAsJsonAsync("/api/tokens", new { name = "u", models = new[] { "two" } });
        Assert.Equal(HttpStatusCode.NotFound, wider.StatusCode);

        // Nor by what was counted and logged.
        await fixture.Host.Services.GetRequiredService<UsageMeter>().FlushAsync();
        Assert.Equal(["allow/one", "allow/two"], (await StoredAsync(user)).Order(StringComparer.Ordinal));
        Assert.Equal(["allow/one"], await StoredAsync(limited));
        foreach (string log in (string[])["/api/me/audit", "/api/me/audit/export"]) Assert.Equal(HttpStatusCode.Forbidden, (await limited.GetAsync(log)).StatusCode);
    }

    /// <summary>The models that today's usage has stored bytes of.</summary>
    private static async Task<string[]> StoredAsync(HttpClient user)
    {
        JsonElement stored = (await TestHost.Json(await user.GetAsync("/api/me/usage"))).GetProperty("stored");
        return [.. stored.EnumerateArray().Select(item => item.GetProperty("model").GetString()!).Distinct()];
    }

    [Fact]
    public async Task List_TellsEverythingButTheToken_AndDeleteEndsIt()
    {
        using HttpClient user = await fixture.Host.CreateUserAsync("lists");
        JsonElement made = await TestHost.Json(await user.PostAsJsonAsync("/api/tokens", new { name = "second" }));
        string text = made.GetProperty("token").GetString()!;
        string list = await user.GetStringAsync("/api/tokens");
        Assert.DoesNotContain(text, list, StringComparison.Ordinal);
        Assert.Equal(["first", "second"], JsonDocument.Parse(list).RootElement.GetProperty("tokens").EnumerateArray().Select(token => token.GetProperty("name").GetString()));

        Assert.Equal(HttpStatusCode.NoContent, (await user.DeleteAsync($"/api/tokens/{made.GetProperty("id").GetString()}")).StatusCode);
        using HttpClient revoked = fixture.Host.Client(text); // it was never used, so no verdict on it is cached
        Assert.Equal(HttpStatusCode.Unauthorized, (await revoked.GetAsync("/v1/models")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await user.DeleteAsync("/api/tokens/tok_nothing")).StatusCode);
    }

    [Theory]
    [InlineData("""{"name":""}""")]
    [InlineData("""{"name":"a\nb"}""")]
    [InlineData("""{"name":"a","owner":"bob"}""")]
    [InlineData("""{"name":"a","expires_at":"2001-01-01T00:00:00Z"}""")]
    [InlineData("""{"scopes":["read"]}""")]
    public async Task Create_Malformed_Is400(string body)
    {
        using HttpClient user = await fixture.Host.CreateUserAsync($"mal{Guid.NewGuid():N}");
        using HttpResponseMessage response = await user.PostAsync("/api/tokens", new StringContent(body, System.Text.Encoding.UTF8, "application/json"));
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        Assert.DoesNotContain("TinyLlm.", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }
}
