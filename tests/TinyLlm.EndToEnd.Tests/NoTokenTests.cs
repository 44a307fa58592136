using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using TinyLlm.EndToEnd.Tests.Harness;

namespace TinyLlm.EndToEnd.Tests;

/// <summary>Every route that the host describes wants a token, but for those that are open on purpose.</summary>
public sealed partial class NoTokenTests(SharedHost shared)
{
    private static readonly string[] Open = ["GET /healthz/live", "GET /healthz/ready", "GET /openapi/v1.json"];

    // A description that forgets routes would make the test below pass without testing.
    private static readonly string[] MustBeDescribed =
    [
        "GET /v1/models", "POST /v1/chat/completions", "POST /v1/completions", "POST /v1/embeddings", "POST /tokenize", "POST /detokenize", "POST /api/users", "GET /api/users", "DELETE /api/users/{id}", "GET /api/me",
        "POST /api/tokens", "GET /api/tokens", "DELETE /api/tokens/{id}", "POST /api/models/{model}/uploads", "PUT /api/models/{model}/uploads/{id}/files/{name}",
        "HEAD /api/models/{model}/uploads/{id}/files/{name}", "POST /api/models/{model}/uploads/{id}/commit", "DELETE /api/models/{model}/uploads/{id}",
        "GET /api/models", "GET /api/models/{owner}/{model}", "DELETE /api/models/{owner}/{model}", "GET /api/models/{owner}/{model}/versions",
        "DELETE /api/models/{owner}/{model}/versions/{version}", "GET /api/models/{owner}/{model}/versions/{version}/files/{name}",
        "GET /healthz/live", "GET /healthz/ready", "GET /v1/models/{id}", "DELETE /v1/models/{id}", "POST /api/tokens/{id}/rotate",
        "GET /api/models/{owner}/{model}/grants", "PUT /api/models/{owner}/{model}/grants/{user}", "DELETE /api/models/{owner}/{model}/grants/{user}",
        "PUT /api/admin/users/{id}/quota",
    ];

    [Theory]
    [InlineData("")]
    [InlineData("Bearer tlm_0000000000aaaaaaaaaaaaaaaaaaaaaa000000")]
    [InlineData("Bearer ")]
    [InlineData("Basic YWRtaW46YWRtaW4=")]
    public async Task EveryRoute_WithoutAGoodToken_Is401UnlessItIsOpen(string authorization)
    {
        List<string> routes = await RoutesAsync();
        Assert.Equal([], MustBeDescribed.Except(routes));
        using HttpClient http = new() { BaseAddress = shared.Host.Url };
        foreach (string route in routes)
        {
            string[] parts = route.Split(' ');
            using HttpRequestMessage request = new(new HttpMethod(parts[0]), ParameterPattern().Replace(parts[1], "1"));
            if (authorization.Length > 0) request.Headers.TryAddWithoutValidation("Authorization", authorization);
            using HttpResponseMessage answer = await http.SendAsync(request, TestContext.Current.CancellationToken);
            if (Open.Contains(route))
            {
                Assert.True(answer.IsSuccessStatusCode, $"{route}: {answer.StatusCode}");
                continue;
            }
            Assert.True(answer.StatusCode == HttpStatusCode.Unauthorized, $"{route}: {answer.StatusCode}");
            Assert.Equal("Bearer", answer.Headers.WwwAuthenticate.ToString());
        }
    }

    [Fact]
    public async Task Token_InTheQuery_IsNotLookedAt()
    {
        using UserClient user = await shared.NewUserAsync();
        using UserClient nobody = UserClient.Nobody(shared.Host);
        await nobody.GetAsync($"api/me?access_token={user.Token}&token={user.Token}", HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task RoutesOfTheOperator_WithAUsersToken_Are403()
    {
        using UserClient user = await shared.NewUserAsync();
        await user.PostAsync("api/users", new JsonObject { ["id"] = "mallory" }, HttpStatusCode.Forbidden);
        await user.GetAsync("api/users", HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task Token_OfAScope_ReachesNoOtherScopesRoutes()
    {
        using UserClient user = await shared.NewUserAsync();
        await user.UploadStoriesAsync();
        JsonNode made = await user.PostAsync("api/tokens", new JsonObject { ["name"] = "reader", ["scopes"] = new JsonArray("read") }, HttpStatusCode.Created);
        using HttpClient http = new() { BaseAddress = shared.Host.Url };
        http.DefaultRequestHeaders.Authorization = new("Bearer", (string?)made["token"]);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(http, HttpMethod.Get, "v1/models"));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(http, HttpMethod.Post, "v1/completions"));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(http, HttpMethod.Delete, "v1/models/stories"));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(http, HttpMethod.Post, "api/models/stories/uploads"));
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpClient http, HttpMethod method, string route)
    {
        using HttpRequestMessage request = new(method, route);
        using HttpResponseMessage answer = await http.SendAsync(request, TestContext.Current.CancellationToken);
        return answer.StatusCode;
    }

    private async Task<List<string>> RoutesAsync()
    {
        using UserClient nobody = UserClient.Nobody(shared.Host);
        JsonNode description = await nobody.GetAsync("openapi/v1.json");
        return
        [
            .. description["paths"]!.AsObject().SelectMany(path => path.Value!.AsObject()
                .Where(operation => operation.Key is "get" or "put" or "post" or "delete" or "head" or "patch" or "options")
                .Select(operation => $"{operation.Key.ToUpperInvariant()} {path.Key}")),
        ];
    }

    [GeneratedRegex(@"\{[^}]+\}")]
    private static partial Regex ParameterPattern();
}
