using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using TinyLlm.Grains.Residency;
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
    public async Task Requests_RefusedAgainWithinHalfASecond_AreAnsweredAlikeAndNobodyIsAsked()
    {
        StandingClock clock = new();
        await using TestHost host = await TestHost.StartAsync(device: "none", services: services => services.AddSingleton<TimeProvider>(clock));
        using HttpClient user = await host.CreateUserAsync("alice"), other = await host.CreateUserAsync("bob");
        await SetQuotaAsync(host, "alice", new { requests_per_minute = 1 });
        Assert.Equal(HttpStatusCode.OK, (await user.GetAsync("/api/tokens")).StatusCode);
        string[] routes = ["/api/tokens", "/v1/models"]; // problem details, and OpenAI's shape
        List<string> first = [], again = [];

        clock.Advance(TimeSpan.FromSeconds(1)); // past what may be kept of the requests before
        foreach (string route in routes)
        {
            first.Add(await RefusalAsync(user, route));
            clock.Advance(TimeSpan.FromSeconds(1));
        }
        await RefusalAsync(user, routes[0]);
        await SetQuotaAsync(host, "alice", new { requests_per_minute = 1_000 }); // who asked the user's grain now would be let in
        foreach (string route in routes) again.Add(await RefusalAsync(user, route));

        Assert.Equal(first.Select(WithoutWhatPasses), again.Select(WithoutWhatPasses));
        Assert.Equal(HttpStatusCode.OK, (await other.GetAsync("/api/tokens")).StatusCode);
        clock.Advance(TimeSpan.FromSeconds(0.6));
        Assert.Equal(HttpStatusCode.OK, (await user.GetAsync("/api/tokens")).StatusCode);
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

    [Fact]
    public async Task Address_ThatFailsTooOften_IsRefusedBeforeItsTokenIsLookedAt_AndHealthIsNot()
    {
        await using TestHost host = await TestHost.StartAsync(device: "none", settings: ["--TinyLlm:Access:FailedAuthenticationsPerMinute", "2"]); // one comes back after half a minute
        using HttpClient user = await host.CreateUserAsync("alice"), wrong = host.Client("tlm_0000000000000000000000000000000000000000");
        for (int i = 0; i < 2; i++) Assert.Equal(HttpStatusCode.Unauthorized, (await wrong.GetAsync("/v1/models")).StatusCode);
        using HttpResponseMessage refused = await user.GetAsync("/v1/models");
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.NotNull(refused.Headers.RetryAfter?.Delta);
        Assert.Equal(HttpStatusCode.OK, (await host.Anonymous.GetAsync("/healthz/ready")).StatusCode);
    }

    [Fact]
    public async Task Address_ThatFailedTooOften_StaysRefusedUntilAWholeFailureHasComeBack()
    {
        await using TestHost host = await TestHost.StartAsync(device: "none", settings: ["--TinyLlm:Access:FailedAuthenticationsPerMinute", "1"]);
        using HttpClient wrong = host.Client("tlm_0000000000000000000000000000000000000000");
        Assert.Equal(HttpStatusCode.Unauthorized, (await wrong.GetAsync("/v1/models")).StatusCode);
        // The limiter gives back a sixtieth of a failure each second, a little ten times a second: none of these bits opens the door.
        for (Stopwatch since = Stopwatch.StartNew(); since.Elapsed < TimeSpan.FromSeconds(0.5);)
        {
            Assert.Equal(HttpStatusCode.TooManyRequests, (await wrong.GetAsync("/v1/models")).StatusCode);
        }
    }

    [Fact]
    public async Task Address_WithoutAToken_HasARateOfItsOwn()
    {
        await using TestHost host = await TestHost.StartAsync(device: "none", settings: ["--TinyLlm:Access:AnonymousRequestsPerMinute", "1"]); // it comes back after a minute
        using HttpClient user = await host.CreateUserAsync("alice");
        Assert.Equal(HttpStatusCode.OK, (await host.Anonymous.GetAsync("/openapi/v1.json")).StatusCode);
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

    /// <summary>Everything of an answer that a client sees.</summary>
    private static async Task<string> RefusalAsync(HttpClient user, string route)
    {
        using HttpResponseMessage refused = await user.GetAsync(route);
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        IEnumerable<string> headers = refused.Headers.Concat(refused.Content.Headers).Select(header => $"{header.Key}: {string.Join(",", header.Value)}").Order(StringComparer.Ordinal);
        return $"{string.Join("\n", headers)}\n{await refused.Content.ReadAsStringAsync()}";
    }

    /// <summary>The trace's id, and what tells the time.</summary>
    private static string WithoutWhatPasses(string answer) =>
        Regex.Replace(answer, "(?<=x-request-id: |\"traceId\":\"|Date: |Retry-After: |x-ratelimit-reset-requests: )[^\"\n]+", "", RegexOptions.IgnoreCase);

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
}
