using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using TinyLlm.Grains.Residency;
using TinyLlm.Grains.Tests;
using TinyLlm.Host.Models;
using TinyLlm.Host.Streams;
using TinyLlm.Tests;

namespace TinyLlm.Host.Tests.Streams;

/// <summary>Whatever a running answer rests on, it ends when that is withdrawn, and never looks complete.</summary>
public sealed class RevocationTests
{
    public enum Withdrawn
    {
        Token,
        RotatedToken,
        ExpiredToken,
        Grant,
        ExpiredGrant,
        EveryonesGrant,
        Version,
        Model,
        Owner,
        Caller,
    }

    [Theory]
    [InlineData(Withdrawn.Token)]
    [InlineData(Withdrawn.RotatedToken)]
    [InlineData(Withdrawn.ExpiredToken)]
    [InlineData(Withdrawn.Grant)]
    [InlineData(Withdrawn.ExpiredGrant)]
    [InlineData(Withdrawn.EveryonesGrant)]
    [InlineData(Withdrawn.Version)]
    [InlineData(Withdrawn.Model)]
    [InlineData(Withdrawn.Owner)]
    [InlineData(Withdrawn.Caller)]
    public async Task Stream_RightWithdrawn_EndsWithATypedErrorAndWithoutDone(Withdrawn what)
    {
        SimulatedBackend device = new();
        StandingClock clock = new();
        await using TestHost host = await TestHost.StartAsync(new Accelerator(device), services => services.AddSingleton<TimeProvider>(clock));
        using HttpClient owner = await host.CreateUserAsync("owner"), caller = await host.CreateUserAsync("caller");
        await TestHost.PushAsync(owner, "m");
        string grantee = what == Withdrawn.EveryonesGrant ? "*" : "caller";
        DateTimeOffset? end = what == Withdrawn.ExpiredGrant ? clock.GetUtcNow().AddMinutes(1) : null;
        using (await owner.PutAsJsonAsync($"/api/models/owner/m/grants/{grantee}", new { rights = new[] { "infer" }, expires_at = end })) { }
        DateTimeOffset? tokenEnd = what == Withdrawn.ExpiredToken ? clock.GetUtcNow().AddMinutes(1) : null;
        JsonElement token = await TestHost.Json(await caller.PostAsJsonAsync("/api/tokens", new { name = "t", expires_at = tokenEnd }));
        string tokenId = token.GetProperty("id").GetString()!;
        using HttpClient client = host.Client(token.GetProperty("token").GetString());

        device.Hold();
        Task<HttpResponseMessage> starting = StartAsync(client, stream: true);
        device.NextStep(TestContext.Current.CancellationToken); // the prompt
        device.Release();
        using HttpResponseMessage response = await starting;
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);

        // The answer stands at its second token, so nothing but the withdrawal can end it.
        using HttpResponseMessage? done = what switch
        {
            Withdrawn.Token => await caller.DeleteAsync($"/api/tokens/{tokenId}"),
            Withdrawn.RotatedToken => await caller.PostAsync($"/api/tokens/{tokenId}/rotate", null),
            Withdrawn.Grant => await owner.DeleteAsync("/api/models/owner/m/grants/caller"),
            Withdrawn.EveryonesGrant => await owner.DeleteAsync("/api/models/owner/m/grants/*"),
            Withdrawn.Version => await owner.DeleteAsync("/api/models/owner/m/versions/1"),
            Withdrawn.Model => await owner.DeleteAsync("/v1/models/owner/m"),
            Withdrawn.Owner => await host.Admin.DeleteAsync("/api/users/owner"),
            Withdrawn.Caller => await host.Admin.DeleteAsync("/api/users/caller"),
            _ => null,
        };
        if (done is null) clock.Advance(TimeSpan.FromMinutes(1));
        else Assert.True(done.IsSuccessStatusCode, await done.Content.ReadAsStringAsync());

        string body = await response.Content.ReadAsStringAsync();
        Assert.DoesNotContain("[DONE]", body, StringComparison.Ordinal);
        string last = body.TrimEnd().Split("\n\n")[^1];
        JsonElement error = JsonDocument.Parse(last["data: ".Length..]).RootElement.GetProperty("error");
        Assert.Equal("access_revoked", error.GetProperty("code").GetString());

        // Its place is free.
        device.Open();
        await Eventually.TrueAsync(() => host.Models.Snapshot().Holds == 0);
    }

    /// <summary>
    /// "Within a second" on a machine of any speed: half of it is this interval, by a clock that the test moves, and the other half is for a call and for the last words
    /// (<see cref="StalledReaderTests"/>). What it is between real processes is measured in ClusterRevocationTests.
    /// </summary>
    [Theory]
    [InlineData(Withdrawn.Token)]
    [InlineData(Withdrawn.Grant)]
    public async Task Stream_RightWithdrawn_IsCutByTheNextHalfSecond(Withdrawn what)
    {
        SimulatedBackend device = new();
        FakeTimeProvider time = new(DateTimeOffset.UtcNow);
        await using TestHost host = await TestHost.StartAsync(new Accelerator(device), services => services.AddSingleton(provider => new RunningStreams(
            provider.GetRequiredService<ModelDirectory>(), provider.GetRequiredService<IGrainFactory>(), time, NullLogger<RunningStreams>.Instance)));
        using HttpClient owner = await host.CreateUserAsync("owner"), caller = await host.CreateUserAsync("caller");
        await TestHost.PushAsync(owner, "m");
        using (await owner.PutAsJsonAsync("/api/models/owner/m/grants/caller", new { })) { }
        JsonElement token = await TestHost.Json(await caller.PostAsJsonAsync("/api/tokens", new { name = "t" }));
        using HttpClient client = host.Client(token.GetProperty("token").GetString());
        device.Hold();
        Task<HttpResponseMessage> starting = StartAsync(client, stream: true);
        device.NextStep(TestContext.Current.CancellationToken); // the prompt
        device.Release();
        using HttpResponseMessage response = await starting;
        Task<string> body = response.Content.ReadAsStringAsync();

        using HttpResponseMessage done = await (what == Withdrawn.Token ? caller.DeleteAsync($"/api/tokens/{token.GetProperty("id").GetString()}") : owner.DeleteAsync("/api/models/owner/m/grants/caller"));
        Assert.True(done.IsSuccessStatusCode);
        Assert.False(body.IsCompleted); // the answer's clock stands still
        time.Advance(TimeSpan.FromMilliseconds(500));

        Assert.Contains("access_revoked", await body.WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken), StringComparison.Ordinal);
        device.Open();
    }

    [Fact]
    public async Task WholeAnswer_RightWithdrawn_IsACleanRefusal()
    {
        SimulatedBackend device = new();
        await using TestHost host = await TestHost.StartAsync(new Accelerator(device));
        using HttpClient owner = await host.CreateUserAsync("owner"), caller = await host.CreateUserAsync("caller");
        await TestHost.PushAsync(owner, "m");
        using (await owner.PutAsJsonAsync("/api/models/owner/m/grants/caller", new { })) { }
        device.Hold();
        Task<HttpResponseMessage> answer = StartAsync(caller, stream: false);
        device.NextStep(TestContext.Current.CancellationToken);
        device.Release();
        device.NextStep(TestContext.Current.CancellationToken);
        using (await owner.DeleteAsync("/api/models/owner/m/grants/caller")) { }
        using HttpResponseMessage refused = await answer;
        device.Open();
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        Assert.Contains("\"code\":\"access_revoked\"", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    private static async Task<HttpResponseMessage> StartAsync(HttpClient user, bool stream)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, "/v1/completions")
        {
            Content = JsonContent.Create(new { model = "owner/m", prompt = "hello", max_tokens = 100, temperature = 0, stream }),
        };
        return await user.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }
}
