using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace TinyLlm.Host.Tests.Management;

/// <summary>Which version counts and which stay, over HTTP.</summary>
public sealed class VersionRoutesTests(TestHostFixture fixture) : IClassFixture<TestHostFixture>
{
    [Fact]
    public async Task Retention_Set_DeletesTheOldestWithTheNextPublicationOnly()
    {
        using HttpClient user = await fixture.Host.CreateUserAsync("keeping");
        for (int i = 0; i < 2; i++) await TestHost.PushAsync(user, "m");
        using HttpResponseMessage set = await user.PutAsJsonAsync("/api/models/keeping/m/retention", new { keep_versions = 1 });
        Assert.Equal((HttpStatusCode.OK, 1), (set.StatusCode, (await TestHost.Json(set)).GetProperty("keep_versions").GetInt32()));
        Assert.Equal([2, 1], await VersionsAsync(user, "keeping"));

        await TestHost.PushAsync(user, "m");

        Assert.Equal([3], await VersionsAsync(user, "keeping"));
        Assert.Equal(HttpStatusCode.NotFound, (await user.GetAsync("/api/models/keeping/m/versions/1/files/config.json")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await user.GetAsync("/api/models/keeping/m/versions/3/files/config.json")).StatusCode);
        foreach (object bad in (object[])[new { keep_versions = 0 }, new { keep_versions = 101 }, new { keep_versions = "2" }, new { kept = 2 }])
            Assert.Equal(HttpStatusCode.BadRequest, (await user.PutAsJsonAsync("/api/models/keeping/m/retention", bad)).StatusCode);
    }

    [Fact]
    public async Task Current_Set_IsWhatTheNameMeansUntilTheNextPublication()
    {
        using HttpClient user = await fixture.Host.CreateUserAsync("rolling"), other = await fixture.Host.CreateUserAsync("bystander");
        for (int i = 0; i < 2; i++) await TestHost.PushAsync(user, "m");
        Assert.Equal(2, await CurrentAsync(user));

        Assert.Equal(HttpStatusCode.OK, (await user.PutAsJsonAsync("/api/models/rolling/m/current", new { version = 1 })).StatusCode);

        Assert.Equal(1, await CurrentAsync(user));
        Assert.Equal([2, 1], await VersionsAsync(user, "rolling"));
        Assert.Equal(HttpStatusCode.NotFound, (await user.PutAsJsonAsync("/api/models/rolling/m/current", new { version = 3 })).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await other.PutAsJsonAsync("/api/models/rolling/m/current", new { version = 2 })).StatusCode);
        Assert.Equal(1, await CurrentAsync(user));
        await TestHost.PushAsync(user, "m");
        Assert.Equal(3, await CurrentAsync(user));
    }

    /// <summary>Grantees were shown the newest version, while the name meant an older one.</summary>
    [Fact]
    public async Task Current_SetBack_IsWhatTheListsOfGranteesShow()
    {
        using HttpClient user = await fixture.Host.CreateUserAsync("sharing"), other = await fixture.Host.CreateUserAsync("grantee");
        for (int i = 0; i < 2; i++) await TestHost.PushAsync(user, "m");
        Assert.Equal(HttpStatusCode.OK, (await user.PutAsJsonAsync("/api/models/sharing/m/grants/grantee", new { rights = new[] { "infer" } })).StatusCode);
        Assert.Equal(2, await ListedAsync(other));

        Assert.Equal(HttpStatusCode.OK, (await user.PutAsJsonAsync("/api/models/sharing/m/current", new { version = 1 })).StatusCode);

        Assert.Equal(1, await ListedAsync(other));
        Assert.Equal(1, await ListedAsync(user));
    }

    private static async Task<int> ListedAsync(HttpClient user) =>
        Assert.Single((await TestHost.Json(await user.GetAsync("/api/models"))).GetProperty("models").EnumerateArray()).GetProperty("version").GetInt32();

    private static async Task<int> CurrentAsync(HttpClient user) =>
        (await TestHost.Json(await user.GetAsync("/api/models/rolling/m"))).GetProperty("model").GetProperty("version").GetInt32();

    private static async Task<IEnumerable<int>> VersionsAsync(HttpClient user, string owner)
    {
        JsonElement answer = await TestHost.Json(await user.GetAsync($"/api/models/{owner}/m/versions"));
        return [.. answer.GetProperty("versions").EnumerateArray().Select(version => version.GetProperty("version").GetInt32())];
    }
}
