using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Tokens;

namespace TinyLlm.Host.Tests.Access;

/// <summary>Sign-in by a provider outside, against one on loopback.</summary>
public sealed class OidcTests : IAsyncLifetime
{
    private LocalIssuer _issuer = null!;

    public async ValueTask InitializeAsync() => _issuer = await LocalIssuer.StartAsync();

    public ValueTask DisposeAsync() => _issuer.DisposeAsync();

    [Fact]
    public async Task Jwt_OfAKnownUser_IsThatUserWithItsScopes()
    {
        await using TestHost host = await StartAsync();
        using HttpClient alice = await host.CreateUserAsync("alice");
        await TestHost.PushAsync(alice, "m");
        using HttpClient jwt = host.Client(_issuer.Token(new() { ["sub"] = "alice", ["scope"] = "openid read profile" }));
        JsonElement me = await TestHost.Json(await jwt.GetAsync("/api/me"));
        Assert.Equal("alice", me.GetProperty("id").GetString());
        Assert.Equal(["read"], me.GetProperty("scopes").EnumerateArray().Select(scope => scope.GetString()));
        Assert.Equal("alice/m", (await TestHost.Json(await jwt.GetAsync("/v1/models"))).GetProperty("data")[0].GetProperty("id").GetString());
        Assert.Equal(HttpStatusCode.Forbidden, (await jwt.DeleteAsync("/v1/models/alice/m")).StatusCode);

        // The user's limits are the user's, whoever vouches.
        using (await host.Admin.PutAsJsonAsync("/api/admin/users/alice/quota", new { requests_per_minute = 1 })) { }
        using HttpResponseMessage limited = await jwt.GetAsync("/api/me");
        Assert.Equal("1", limited.Headers.GetValues("x-ratelimit-limit-requests").Single());
    }

    [Theory]
    [InlineData(null, "read,infer")]
    [InlineData("", "")]
    [InlineData("train", "train")]
    [InlineData("admin write", "write")]
    public async Task Jwt_Scopes_AreTheClaimsOrTheDefault_AndNeverTheOperators(string? claim, string expected)
    {
        await using TestHost host = await StartAsync();
        using HttpClient alice = await host.CreateUserAsync("alice");
        Dictionary<string, object> claims = new() { ["sub"] = "alice" };
        if (claim is not null) claims["scope"] = claim;
        using HttpClient jwt = host.Client(_issuer.Token(claims));
        string[] scopes = expected.Split(',', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(scopes.Contains("read") ? HttpStatusCode.OK : HttpStatusCode.Forbidden, (await jwt.GetAsync("/api/me")).StatusCode);
        Assert.Equal(scopes.Contains("write") ? HttpStatusCode.NotFound : HttpStatusCode.Forbidden, (await jwt.DeleteAsync("/v1/models/nothing")).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await jwt.GetAsync("/api/users")).StatusCode);
    }

    [Fact]
    public async Task Jwt_NotToBeTrusted_Is401()
    {
        await using TestHost host = await StartAsync();
        using HttpClient alice = await host.CreateUserAsync("alice");
        Dictionary<string, object> claims = new() { ["sub"] = "alice" };
        using RSA stranger = RSA.Create(2048);
        string good = _issuer.Token(claims);
        string[] bad =
        [
            _issuer.Token(claims, audience: "another"),
            _issuer.Token(claims, issuer: "http://127.0.0.1:1"),
            _issuer.Token(claims, age: TimeSpan.FromHours(1)),
            _issuer.Token(claims, age: TimeSpan.FromHours(-1)),
            _issuer.Token(claims, signing: new SigningCredentials(new RsaSecurityKey(stranger) { KeyId = "key-1" }, SecurityAlgorithms.RsaSha256)),
            _issuer.Token(claims, signing: new SigningCredentials(new SymmetricSecurityKey(new byte[32]) { KeyId = "key-1" }, SecurityAlgorithms.HmacSha256)),
            _issuer.Token(new() { ["sub"] = "nobody" }),
            _issuer.Token(new() { ["sub"] = "ALICE" }),
            _issuer.Token(new() { ["sub"] = "../alice" }),
            _issuer.Token([]),
            good[..(good.LastIndexOf('.') + 1)],
            $"{Base64UrlEncoder.Encode("""{"alg":"none","typ":"JWT"}""")}.{good.Split('.')[1]}.",
            "a.b.c",
            "..",
        ];
        foreach (string token in bad)
        {
            using HttpClient client = host.Client(token);
            using HttpResponseMessage response = await client.GetAsync("/api/me");
            Assert.True(response.StatusCode == HttpStatusCode.Unauthorized, $"{Array.IndexOf(bad, token)}: {response.StatusCode}");
        }
        using HttpClient accepted = host.Client(good);
        Assert.Equal(HttpStatusCode.OK, (await accepted.GetAsync("/api/me")).StatusCode);
    }

    [Fact]
    public async Task Jwt_FirstSight_MakesTheUser_WhereTheOperatorSaysSo()
    {
        await using TestHost host = await StartAsync(("CreateUsers", "true"), ("UserClaim", "login"));
        using HttpClient jwt = host.Client(_issuer.Token(new() { ["sub"] = "4711", ["login"] = "Carol", ["scope"] = "read write" }));
        Assert.Equal("Carol", (await TestHost.Json(await jwt.GetAsync("/api/me"))).GetProperty("id").GetString());
        Assert.Empty((await TestHost.Json(await jwt.GetAsync("/api/tokens"))).GetProperty("tokens").EnumerateArray());
        using HttpClient other = host.Client(_issuer.Token(new() { ["login"] = "carol" })); // another spelling is nobody
        Assert.Equal(HttpStatusCode.Unauthorized, (await other.GetAsync("/api/me")).StatusCode);

        // A token that it makes ends with it, at the latest.
        JsonElement made = await TestHost.Json(await jwt.PostAsJsonAsync("/api/tokens", new { name = "t" }));
        JsonElement token = (await TestHost.Json(await jwt.GetAsync("/api/tokens"))).GetProperty("tokens")[0];
        Assert.Equal(made.GetProperty("id").GetString(), token.GetProperty("id").GetString());
        Assert.InRange(token.GetProperty("expires_at").GetDateTimeOffset(), DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddMinutes(10));
    }

    [Fact]
    public async Task Jwt_NoProviderConfigured_Is401()
    {
        await using TestHost host = await TestHost.StartAsync(device: "none");
        using HttpClient alice = await host.CreateUserAsync("alice"), jwt = host.Client(_issuer.Token(new() { ["sub"] = "alice" }));
        Assert.Equal(HttpStatusCode.Unauthorized, (await jwt.GetAsync("/api/me")).StatusCode);
    }

    [Theory]
    [InlineData("Audience", "")]
    [InlineData("Issuer", "not an address")]
    [InlineData("DefaultScopes", "read reed")]
    [InlineData("DefaultScopes", "admin")]
    public async Task Options_ThatMakeNoSense_StopTheStartByName(string option, string value)
    {
        OptionsValidationException refused = await Assert.ThrowsAsync<OptionsValidationException>(() => StartAsync((option, value)));
        Assert.Contains($"Oidc:{option}:", refused.Message, StringComparison.Ordinal);
    }

    private Task<TestHost> StartAsync(params ReadOnlySpan<(string Option, string Value)> settings)
    {
        Dictionary<string, string> oidc = new() { ["Issuer"] = _issuer.Address, ["Audience"] = "tinyllm", ["AllowHttpMetadata"] = "true" };
        foreach ((string option, string value) in settings) oidc[option] = value;
        return TestHost.StartAsync(device: "none", settings: [.. oidc.SelectMany(pair => new[] { $"--TinyLlm:Access:Oidc:{pair.Key}", pair.Value })]);
    }
}
