using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using TinyLlm.Grains.Residency;
using TinyLlm.Host.Access;
using TinyLlm.Host.Errors;
using TinyLlm.Host.Management;
using TinyLlm.Host.Models;
using TinyLlm.Host.Telemetry;
using TinyLlm.Tests;

namespace TinyLlm.Host.Tests.Access;

/// <summary>Limits as clients meet them.</summary>
public sealed class RateLimitTests
{
    [Fact]
    public async Task Requests_UsedUp_Are429WithRetryAfterAndOpenAisHeaders()
    {
        StandingClock clock = new();
        await using TestHost host = await TestHost.StartAsync(device: "none", services: services => services.AddSingleton<TimeProvider>(clock));
        using HttpClient user = await host.CreateUserAsync("alice");
        await SetQuotaAsync(host, "alice", new { requests_per_minute = 3 });
        for (int left = 2; left >= 0; left--)
        {
            using HttpResponseMessage accepted = await user.GetAsync("/v1/models");
            Assert.Equal(HttpStatusCode.OK, accepted.StatusCode);
            Assert.Equal(("3", $"{left}", left == 0 ? "1m0s" : $"{(3 - left) * 20}s"), Headers(accepted, "requests"));
            Assert.Equal(("6000000", "6000000", "0ms"), Headers(accepted, "tokens"));
        }
        using HttpResponseMessage refused = await user.GetAsync("/v1/models");
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(20), refused.Headers.RetryAfter?.Delta);
        Assert.Equal(("3", "0", "1m0s"), Headers(refused, "requests"));
        JsonElement error = (await TestHost.Json(refused)).GetProperty("error");
        Assert.Equal("rate_limit_exceeded", error.GetProperty("code").GetString());
    }

    [Fact]
    public async Task Tokens_UsedUp_Are429_AndTheAnswersHeadersTellWhatIsLeft()
    {
        StandingClock clock = new();
        await using TestHost host = await TestHost.StartAsync(new Accelerator(new SimulatedBackend()), services => services.AddSingleton<TimeProvider>(clock));
        using HttpClient user = await host.CreateUserAsync("alice");
        await TestHost.PushAsync(user, "m");
        await SetQuotaAsync(host, "alice", new { tokens_per_minute = 60 });
        object request = new { model = "m", prompt = "hello", max_tokens = 20, temperature = 0 };
        using HttpResponseMessage first = await user.PostAsJsonAsync("/v1/completions", request);
        Assert.Equal(("60", "38", "22s"), Headers(first, "tokens")); // 20, and 2 for a prompt of five letters
        int used = (await TestHost.Json(first)).GetProperty("usage").GetProperty("total_tokens").GetInt32();

        using HttpResponseMessage second = await user.PostAsJsonAsync("/v1/completions", request);
        Assert.Equal($"{60 - used - 22}", Headers(second, "tokens").Remaining); // the prompt had more tokens than was guessed, and they count
        using HttpResponseMessage refused = await user.PostAsJsonAsync("/v1/completions", request);
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(22 - (60 - used - used)), refused.Headers.RetryAfter?.Delta);
        clock.Advance(refused.Headers.RetryAfter!.Delta!.Value);
        using HttpResponseMessage third = await user.PostAsJsonAsync("/v1/completions", request);
        Assert.Equal(HttpStatusCode.OK, third.StatusCode);
    }

    /// <summary>A hundred clients of one user hammer through two front ends, each with caches of its own: the limit is the user's, not a front end's.</summary>
    [Fact]
    public async Task HundredClients_ThroughTwoFrontEnds_AreAcceptedAsTheLimitSays()
    {
        const int PerMinute = 1200;
        await using TestHost host = await TestHost.StartAsync(device: "none");
        await using WebApplication second = await StartFrontEndAsync(host);
        using HttpClient user = await host.CreateUserAsync("alice");
        await SetQuotaAsync(host, "alice", new { requests_per_minute = PerMinute });
        string token = user.DefaultRequestHeaders.Authorization!.Parameter!;
        Uri other = new(second.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        HttpClient[] clients = [.. Enumerable.Range(0, 100).Select(i => host.Client(token))];
        for (int i = 0; i < clients.Length; i += 2) clients[i].BaseAddress = other;

        long accepted = 0, refused = 0;
        TimeSpan length = TimeSpan.FromSeconds(5);
        long began = Stopwatch.GetTimestamp();
        await Task.WhenAll(clients.Select(async client =>
        {
            while (Stopwatch.GetElapsedTime(began) < length)
            {
                using HttpResponseMessage response = await client.GetAsync("/api/tokens", TestContext.Current.CancellationToken);
                if (response.StatusCode == HttpStatusCode.OK) Interlocked.Increment(ref accepted);
                else Interlocked.Increment(ref refused);
                if (response.StatusCode != HttpStatusCode.OK) Assert.Equal(HttpStatusCode.TooManyRequests, response.StatusCode);
            }
        }));
        double limit = PerMinute + (Stopwatch.GetElapsedTime(began).TotalMinutes * PerMinute);
        foreach (HttpClient client in clients) client.Dispose();
        TestContext.Current.SendDiagnosticMessage($"accepted {accepted} of a limit of {limit:0}, refused {refused}");
        Assert.InRange(accepted, limit * 0.98, limit * 1.02);
        await second.StopAsync();
    }

    [Fact]
    public async Task Address_ThatFailsTooOften_IsRefusedBeforeItsTokenIsLookedAt_AndHealthIsNot()
    {
        await using TestHost host = await TestHost.StartAsync(device: "none", settings: ["--TinyLlm:Access:FailedAuthenticationsPerMinute", "5"]);
        using HttpClient user = await host.CreateUserAsync("alice"), wrong = host.Client("tlm_0000000000000000000000000000000000000000");
        for (int i = 0; i < 5; i++) Assert.Equal(HttpStatusCode.Unauthorized, (await wrong.GetAsync("/v1/models")).StatusCode);
        using HttpResponseMessage refused = await user.GetAsync("/v1/models");
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.NotNull(refused.Headers.RetryAfter?.Delta);
        Assert.Equal(HttpStatusCode.OK, (await host.Anonymous.GetAsync("/healthz/ready")).StatusCode);
    }

    [Fact]
    public async Task Address_WithoutAToken_HasARateOfItsOwn()
    {
        await using TestHost host = await TestHost.StartAsync(device: "none", settings: ["--TinyLlm:Access:AnonymousRequestsPerMinute", "3"]);
        using HttpClient user = await host.CreateUserAsync("alice");
        for (int i = 0; i < 3; i++) Assert.Equal(HttpStatusCode.OK, (await host.Anonymous.GetAsync("/openapi/v1.json")).StatusCode);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await host.Anonymous.GetAsync("/openapi/v1.json")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await user.GetAsync("/v1/models")).StatusCode);
    }

    [Fact]
    public async Task Quota_AdminSets_UserSees_AndNonsenseIsRefused()
    {
        await using TestHost host = await TestHost.StartAsync(device: "none");
        using HttpClient user = await host.CreateUserAsync("alice");
        JsonElement set = await SetQuotaAsync(host, "alice", new { models = 7 });
        Assert.Equal((7, 6000), (set.GetProperty("models").GetInt32(), set.GetProperty("requests_per_minute").GetInt32()));
        JsonElement me = await TestHost.Json(await user.GetAsync("/api/me"));
        Assert.Equal(set.ToString(), me.GetProperty("quota").ToString());
        foreach (object bad in (object[])[new { models = -1 }, new { requests_per_minute = 0 }, new { tokens_per_minute = -5 }, new { nothing = 1 }])
        {
            using HttpResponseMessage refused = await host.Admin.PutAsJsonAsync("/api/admin/users/alice/quota", bad);
            Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        }
        Assert.Equal(HttpStatusCode.NotFound, (await host.Admin.PutAsJsonAsync("/api/admin/users/nobody/quota", new { })).StatusCode);
    }

    private static async Task<JsonElement> SetQuotaAsync(TestHost host, string user, object quota)
    {
        using HttpResponseMessage response = await host.Admin.PutAsJsonAsync($"/api/admin/users/{user}/quota", quota);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
        return await TestHost.Json(response);
    }

    private static (string Limit, string Remaining, string Reset) Headers(HttpResponseMessage response, string what) => (
        response.Headers.GetValues($"x-ratelimit-limit-{what}").Single(),
        response.Headers.GetValues($"x-ratelimit-remaining-{what}").Single(),
        response.Headers.GetValues($"x-ratelimit-reset-{what}").Single());

    /// <summary>Another API front end on the same cluster: its own server, caches and address limits, no silo.</summary>
    private static async Task<WebApplication> StartFrontEndAsync(TestHost host)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(host.Services.GetRequiredService<IGrainFactory>());
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<ModelDirectory>();
        builder.Services.AddSingleton<GenerationMeter>();
        builder.Services.AddSingleton(new AdminToken(AdminToken.NewText()));
        builder.Services.AddAddressLimits();
        builder.Services.AddAccess();
        WebApplication app = builder.Build();
        app.UseMiddleware<ErrorMiddleware>();
        app.UseMiddleware<AddressLimits>();
        app.UseRouting();
        app.UseAuthentication();
        app.UseAuthorization();
        app.MapTokens();
        await app.StartAsync(TestContext.Current.CancellationToken);
        return app;
    }
}
