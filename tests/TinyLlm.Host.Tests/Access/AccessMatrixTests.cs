using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using TinyLlm.Grains.Residency;
using TinyLlm.Tests;

namespace TinyLlm.Host.Tests.Access;

/// <summary>
/// Every route that the host has, read from its endpoint table, against every kind of caller that must not get in. A new route fails here until
/// the contract says who may use it.
/// </summary>
public sealed partial class AccessMatrixTests : IAsyncLifetime
{
    private static readonly string[] AllScopes = ["read", "infer", "write", "train", "admin"];

    private readonly StandingClock _clock = new();
    private readonly ForeignSigner _signer = new();
    private TestHost _host = null!;
    private HttpClient _alice = null!;
    private HttpClient _bob = null!;
    private HttpClient _revoked = null!;
    private HttpClient _expired = null!;
    private HttpClient _otherModels = null!;
    private Dictionary<string, HttpClient> _byScope = [];
    private string _upload = "";
    private string _token = "";

    private sealed record Route(string Method, string Pattern)
    {
        public string Name => $"{Method} {Pattern}";
    }

    public async ValueTask InitializeAsync()
    {
        _host = await TestHost.StartAsync(
            new Accelerator(new SimulatedBackend()),
            services => services.AddSingleton<TimeProvider>(_clock),
            settings: ["--TinyLlm:Access:FailedAuthenticationsPerMinute", "100000", "--TinyLlm:Access:AnonymousRequestsPerMinute", "100000"]);
        _alice = await _host.CreateUserAsync("alice");
        _bob = await _host.CreateUserAsync("bobby");
        await TestHost.PushAsync(_alice, "m");
        Assert.Equal(HttpStatusCode.Created, (await _alice.PostAsJsonAsync("/api/me/trust/keys", new { name = "k", public_key = _signer.PublicKey })).StatusCode);
        _upload = (await TestHost.Json(await _alice.PostAsync("/api/models/m/uploads", null))).GetProperty("id").GetString()!;
        _byScope = new() { ["admin"] = _host.Admin };
        foreach (string scope in AllScopes[..^1]) _byScope[scope] = (await TokenAsync(scope)).Client;
        (_token, _) = await TokenAsync("read");

        JsonElement some = await TestHost.Json(await _alice.PostAsJsonAsync("/api/tokens", new { name = "some", models = new[] { "another" } }));
        _otherModels = _host.Client(some.GetProperty("token").GetString());

        (string id, _revoked) = await TokenAsync(AllScopes[..^1]);
        Assert.Equal(HttpStatusCode.OK, (await _revoked.GetAsync("/api/me")).StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, (await _alice.DeleteAsync($"/api/tokens/{id}")).StatusCode);

        JsonElement ends = await TestHost.Json(await _alice.PostAsJsonAsync("/api/tokens", new { name = "ends", expires_at = _clock.GetUtcNow().AddSeconds(1) }));
        _expired = _host.Client(ends.GetProperty("token").GetString());
        Assert.Equal(HttpStatusCode.OK, (await _expired.GetAsync("/api/me")).StatusCode);
        _clock.Advance(TimeSpan.FromSeconds(1));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (HttpClient client in (HttpClient[])[_alice, _bob, _revoked, _expired, _otherModels, .. _byScope.Values]) client.Dispose();
        _signer.Dispose();
        await _host.DisposeAsync();
    }

    [Fact]
    public void Routes_AreThoseOfTheContract_AndNoEndpointIsAnythingElse()
    {
        Assert.All(Endpoints(), endpoint => Assert.IsType<RouteEndpoint>(endpoint));
        Assert.Equal(RouteContract.Scopes.Keys.Order(StringComparer.Ordinal), Routes().Select(route => route.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task EveryClosedRoute_NoTokenRevokedOrExpired_Is401()
    {
        foreach (Route route in Closed())
        {
            foreach (HttpClient client in (HttpClient[])[_host.Anonymous, _revoked, _expired])
                await ExpectAsync(HttpStatusCode.Unauthorized, client, route, "alice/m");
        }
    }

    [Fact]
    public async Task EveryClosedRoute_EachWrongScope_Is403_AndTheRightOneIsNot()
    {
        foreach (Route route in Closed())
        {
            string scope = RouteContract.Scopes[route.Name];
            string[] right = scope == RouteContract.AdminOrSelf ? ["admin", "write"] : [scope];
            foreach (string wrong in AllScopes.Except(right)) await ExpectAsync(HttpStatusCode.Forbidden, _byScope[wrong], route, "alice/m");

            // Of an object that is not there, so that nothing is lost.
            using HttpResponseMessage admitted = await SendAsync(_byScope[right[0]], route, "alice/x");
            Assert.False(admitted.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden, $"{route.Name} with '{right[0]}': {admitted.StatusCode}");
        }
    }

    [Fact]
    public async Task EveryRouteWithAnObject_OtherUser_AnswersAsForAMissingOne()
    {
        int objects = 0;
        foreach (Route route in Closed().Where(HasObject))
        {
            if (RouteContract.Scopes[route.Name] == "admin") continue; // no user gets there, as shown above
            objects++;
            using HttpResponseMessage existing = await SendAsync(_bob, route, "alice/m");
            using HttpResponseMessage missing = await SendAsync(_bob, route, "alice/x", missing: true);
            using HttpResponseMessage nobodys = await SendAsync(_bob, route, "nobod/m", missing: true);
            HttpStatusCode expected = RouteContract.Scopes[route.Name] == RouteContract.AdminOrSelf ? HttpStatusCode.Forbidden : HttpStatusCode.NotFound;
            Assert.True(existing.StatusCode == expected, $"{route.Name} of another user: {existing.StatusCode}");
            Assert.Equal(await SeenAsync(missing), await SeenAsync(existing));
            Assert.Equal(await SeenAsync(missing), await SeenAsync(nobodys));
        }
        Assert.True(objects >= 25, $"only {objects} routes with an object");

        // Nothing of it did anything.
        Assert.Equal(HttpStatusCode.OK, (await _alice.GetAsync("/api/models/alice/m/versions/1/files/config.json")).StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, (await _alice.DeleteAsync($"/api/models/m/uploads/{_upload}")).StatusCode);
    }

    /// <summary>A token that is for another model of its owner's: of the rest it can touch nothing, and least of all everything at once.</summary>
    [Fact]
    public async Task EveryRouteWithAModel_TokenForAnotherModel_AnswersAsForAMissingOne()
    {
        foreach (Route route in Closed().Where(HasModel))
        {
            using HttpResponseMessage existing = await SendAsync(_otherModels, route, "alice/m");
            using HttpResponseMessage missing = await SendAsync(_otherModels, route, "alice/x", missing: true);
            Assert.True(existing.StatusCode == HttpStatusCode.NotFound, $"{route.Name} with a token for another model: {existing.StatusCode}");
            Assert.Equal(await SeenAsync(missing), await SeenAsync(existing));
        }
        foreach (string name in (string[])["DELETE /api/users/{id}", "POST /api/me/key/rotate"])
        {
            Assert.Contains(name, RouteContract.Scopes.Keys);
            string[] parts = name.Split(' ');
            await ExpectAsync(HttpStatusCode.Forbidden, _otherModels, new Route(parts[0], parts[1]), "alice/m");
        }
        Assert.Equal(HttpStatusCode.OK, (await _alice.GetAsync("/api/models/alice/m")).StatusCode);
    }

    private IReadOnlyList<Endpoint> Endpoints() => _host.Services.GetRequiredService<EndpointDataSource>().Endpoints;

    private IEnumerable<Route> Routes() => Endpoints().OfType<RouteEndpoint>()
        .SelectMany(route => (route.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? ["GET"])
            .Select(method => new Route(method, "/" + route.RoutePattern.RawText!.Trim('/'))));

    private IEnumerable<Route> Closed() => Routes().Where(route => RouteContract.Scopes.GetValueOrDefault(route.Name, "") is not (RouteContract.Open or ""));

    private static bool HasModel(Route route) =>
        route.Pattern.Contains("{model}", StringComparison.Ordinal) || route.Pattern.Contains("{**id}", StringComparison.Ordinal) || RouteContract.ModelBodies.ContainsKey(route.Name);

    private static bool HasObject(Route route)
    {
        // Beginning an upload makes something of the caller's own, whatever its name.
        return (route.Pattern.Contains('{', StringComparison.Ordinal) || RouteContract.ModelBodies.ContainsKey(route.Name)) && route.Name != "POST /api/models/{model}/uploads";
    }

    /// <summary>One call that names what it needs: the model "owner/name", or an upload, token or user of alice's.</summary>
    private async Task<HttpResponseMessage> SendAsync(HttpClient client, Route route, string model, bool missing = false)
    {
        string[] parts = model.Split('/');
        string path = Parameter().Replace(route.Pattern, match => (match.Groups[1].Value, route.Pattern) switch
        {
            ("owner", _) => parts[0],
            ("model", _) => route.Pattern.Contains("/uploads", StringComparison.Ordinal) ? "m" : parts[1],
            ("**id", _) => model,
            ("id", var pattern) when pattern.Contains("/users/", StringComparison.Ordinal) => missing || parts[1] == "x" ? "nobod" : "alice",
            ("id", var pattern) when pattern.Contains("/uploads/", StringComparison.Ordinal) => missing || parts[1] == "x" ? new string('x', _upload.Length) : _upload,
            ("id", var pattern) when pattern.Contains("/tokens/", StringComparison.Ordinal) => missing || parts[1] == "x" ? new string('x', _token.Length) : _token,
            ("id", var pattern) when pattern.Contains("/trust/keys/", StringComparison.Ordinal) => missing || parts[1] == "x" ? new string('x', _signer.Id.Length) : _signer.Id,
            ("version:int", _) => "1",
            ("name", _) => "config.json",
            ("user", _) => "bobby",
            var (name, pattern) => throw new InvalidOperationException($"say here what '{name}' of {pattern} is"),
        });
        using HttpRequestMessage request = new(new HttpMethod(route.Method), path);
        if (RouteContract.ModelBodies.TryGetValue(route.Name, out Func<string, object>? body)) request.Content = JsonContent.Create(body(model));
        else if (route.Method == "PUT" && !route.Pattern.Contains("/files/", StringComparison.Ordinal)) request.Content = JsonContent.Create(new { });
        return await client.SendAsync(request, TestContext.Current.CancellationToken);
    }

    private async Task ExpectAsync(HttpStatusCode expected, HttpClient client, Route route, string model)
    {
        using HttpResponseMessage response = await SendAsync(client, route, model);
        Assert.True(response.StatusCode == expected, $"{route.Name}: {response.StatusCode} instead of {expected}");
        if (expected == HttpStatusCode.Unauthorized) Assert.Equal("Bearer", response.Headers.WwwAuthenticate.ToString());
    }

    /// <summary>Status, headers and body, but for the trace id, the time, and what is left of the rates.</summary>
    private static async Task<string> SeenAsync(HttpResponseMessage response)
    {
        IEnumerable<string> headers = response.Headers.Concat(response.Content.Headers)
            .Where(header => header.Key is not ("Date" or "X-Request-ID") && !header.Key.StartsWith("x-ratelimit-", StringComparison.OrdinalIgnoreCase))
            .Select(header => $"{header.Key}: {string.Join(",", header.Value)}").Order(StringComparer.Ordinal);
        return $"{response.StatusCode}\n{string.Join("\n", headers)}\n{TraceId().Replace(await response.Content.ReadAsStringAsync(), "TRACE")}";
    }

    private async Task<(string Id, HttpClient Client)> TokenAsync(params string[] scopes)
    {
        JsonElement made = await TestHost.Json(await _alice.PostAsJsonAsync("/api/tokens", new { name = "t", scopes }));
        return (made.GetProperty("id").GetString()!, _host.Client(made.GetProperty("token").GetString()));
    }

    [GeneratedRegex(@"\{([^}]+)\}")]
    private static partial Regex Parameter();

    [GeneratedRegex("\"traceId\":\"[^\"]+\"")]
    private static partial Regex TraceId();
}
