using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace TinyLlm.EndToEnd.Tests.Harness;

/// <summary>One caller of the HTTP API: a user with a token, the operator, or nobody. Speaks plain HTTP, to check the wire itself.</summary>
internal sealed class UserClient : IDisposable
{
    private readonly HttpClient http;

    private UserClient(RunningHost host, string name, string? token)
    {
        Name = name;
        Token = token ?? "";
        http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = host.Url, Timeout = TimeSpan.FromMinutes(2) };
        if (token is not null) http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }

    public string Name { get; }

    public string Token { get; }

    public static UserClient Nobody(RunningHost host) => new(host, "", null);

    public static UserClient Admin(RunningHost host) => new(host, "admin", host.AdminToken);

    /// <summary>A user known from before, as after a restart.</summary>
    public static UserClient Known(RunningHost host, UserClient user) => new(host, user.Name, user.Token);

    /// <summary>A user whose token is known.</summary>
    public static UserClient Known(RunningHost host, string name, string token) => new(host, name, token);

    public static async Task<UserClient> CreateAsync(RunningHost host, string name)
    {
        using UserClient admin = Admin(host);
        JsonNode made = await admin.PostAsync("api/users", new JsonObject { ["id"] = name }, HttpStatusCode.Created);
        Assert.Equal(name, (string?)made["id"]);
        return new UserClient(host, name, (string)made["token"]!);
    }

    /// <summary>Gives this user rates that no test reaches.</summary>
    public async Task LiftRatesAsync(RunningHost host)
    {
        using UserClient admin = Admin(host);
        JsonObject quota = new() { ["requests_per_minute"] = 10_000_000, ["tokens_per_minute"] = 1_000_000_000, ["concurrent_streams"] = 1_000 };
        using HttpResponseMessage answer = await admin.SendAsync(HttpMethod.Put, $"api/admin/users/{Name}/quota", JsonContent.Create(quota));
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    /// <summary>Sends a request; the caller disposes the answer.</summary>
    public Task<HttpResponseMessage> SendAsync(HttpMethod method, string route, HttpContent? content = null) =>
        http.SendAsync(new HttpRequestMessage(method, route) { Content = content }, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);

    public async Task<JsonNode> GetAsync(string route, HttpStatusCode expected = HttpStatusCode.OK)
    {
        using HttpResponseMessage answer = await SendAsync(HttpMethod.Get, route);
        return await ReadAsync(answer, expected);
    }

    public async Task<JsonNode> PostAsync(string route, JsonNode? body, HttpStatusCode expected = HttpStatusCode.OK)
    {
        using HttpResponseMessage answer = await SendAsync(HttpMethod.Post, route, body is null ? null : JsonContent.Create(body));
        return await ReadAsync(answer, expected);
    }

    /// <summary>The data of every server-sent event, without [DONE], which must be the last.</summary>
    public async Task<List<JsonNode>> StreamAsync(string route, JsonObject body)
    {
        body["stream"] = true;
        using HttpResponseMessage answer = await SendAsync(HttpMethod.Post, route, JsonContent.Create(body));
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal("text/event-stream", answer.Content.Headers.ContentType?.MediaType);
        string[] data = [.. (await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))
            .Split("\n\n", StringSplitOptions.RemoveEmptyEntries)
            .Where(line => line.StartsWith("data: ", StringComparison.Ordinal))
            .Select(line => line["data: ".Length..])];
        Assert.Equal("[DONE]", data[^1]);
        return [.. data[..^1].Select(line => JsonNode.Parse(line)!)];
    }

    public async Task<string> BeginUploadAsync(string model) => (string)(await PostAsync($"api/models/{model}/uploads", null, HttpStatusCode.Created))["id"]!;

    public async Task PutFileAsync(string model, string upload, string file, byte[] bytes)
    {
        using HttpResponseMessage answer = await SendAsync(HttpMethod.Put, $"api/models/{model}/uploads/{upload}/files/{file}", new ByteArrayContent(bytes));
        Assert.True(answer.IsSuccessStatusCode, $"{file}: {answer.StatusCode} {await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)}");
    }

    public Task<JsonNode> CommitAsync(string model, string upload, HttpStatusCode expected = HttpStatusCode.Created) =>
        PostAsync($"api/models/{model}/uploads/{upload}/commit", null, expected);

    /// <summary>Uploads and commits; answers what the commit said.</summary>
    public async Task<JsonNode> UploadAsync(string model, IReadOnlyDictionary<string, byte[]> files, HttpStatusCode expected = HttpStatusCode.Created)
    {
        string upload = await BeginUploadAsync(model);
        foreach ((string file, byte[] bytes) in files) await PutFileAsync(model, upload, file, bytes);
        return await CommitAsync(model, upload, expected);
    }

    /// <summary>Uploads the reference model.</summary>
    public Task<JsonNode> UploadStoriesAsync(string model = "stories") => UploadAsync(model, Stories.Files());

    /// <summary>The text that a model makes of a prompt, greedily.</summary>
    public async Task<string> CompleteAsync(string model, string prompt, int maxTokens)
    {
        JsonObject body = new() { ["model"] = model, ["prompt"] = prompt, ["temperature"] = 0, ["max_tokens"] = maxTokens };
        return (string)(await PostAsync("v1/completions", body))["choices"]![0]!["text"]!;
    }

    public void Dispose() => http.Dispose();

    private static async Task<JsonNode> ReadAsync(HttpResponseMessage answer, HttpStatusCode expected)
    {
        string text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(answer.StatusCode == expected, $"{answer.RequestMessage!.Method} {answer.RequestMessage.RequestUri!.PathAndQuery}: expected {expected}, got {answer.StatusCode} {text}");
        return text.Length == 0 ? new JsonObject() : JsonNode.Parse(text)!;
    }
}
