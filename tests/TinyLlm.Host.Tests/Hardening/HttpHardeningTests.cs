using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using TinyLlm.Grains.Residency;
using TinyLlm.Tests;

namespace TinyLlm.Host.Tests.Hardening;

/// <summary>What every answer carries, what no answer carries unless it is configured, and what a request may ask for.</summary>
public sealed class HttpHardeningTests(TestHostFixture fixture) : IClassFixture<TestHostFixture>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/healthz/live", HttpStatusCode.OK)]
    [InlineData("/openapi/v1.json", HttpStatusCode.OK)]
    [InlineData("/api/me", HttpStatusCode.Unauthorized)]
    [InlineData("/nowhere", HttpStatusCode.Unauthorized)]
    public async Task EveryAnswer_CarriesTheSecurityHeaders(string route, HttpStatusCode status)
    {
        using HttpResponseMessage answer = await fixture.Host.Anonymous.GetAsync(route, Cancel);
        Assert.Equal(status, answer.StatusCode);
        Assert.Equal("nosniff", Header(answer, "X-Content-Type-Options"));
        Assert.Equal("DENY", Header(answer, "X-Frame-Options"));
        Assert.Equal("default-src 'none'; frame-ancestors 'none'", Header(answer, "Content-Security-Policy"));
        Assert.Equal("no-referrer", Header(answer, "Referrer-Policy"));
        Assert.Equal("same-origin", Header(answer, "Cross-Origin-Resource-Policy"));
        Assert.True(answer.Headers.CacheControl!.NoStore);
        Assert.False(answer.Headers.Contains("Server"));
        Assert.False(answer.Headers.Contains("Strict-Transport-Security")); // it is not https
    }

    [Fact]
    public async Task Cors_NotConfigured_NoOriginIsAllowed()
    {
        using HttpResponseMessage answer = await fixture.Host.Anonymous.SendAsync(Preflight("https://app.example"), Cancel);
        Assert.False(answer.Headers.Contains("Access-Control-Allow-Origin"));
        using HttpRequestMessage simple = new(HttpMethod.Get, "/healthz/live");
        simple.Headers.Add("Origin", "https://app.example");
        using HttpResponseMessage read = await fixture.Host.Anonymous.SendAsync(simple, Cancel);
        Assert.False(read.Headers.Contains("Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task Cors_Configured_AllowsThoseOriginsAlone()
    {
        await using TestHost host = await TestHost.StartAsync(device: "none", settings: ["--TinyLlm:Http:CorsOrigins", "https://app.example;https://other.example"]);
        using HttpResponseMessage allowed = await host.Anonymous.SendAsync(Preflight("https://app.example"), Cancel);
        Assert.Equal("https://app.example", Header(allowed, "Access-Control-Allow-Origin"));
        using HttpResponseMessage refused = await host.Anonymous.SendAsync(Preflight("https://evil.example"), Cancel);
        Assert.False(refused.Headers.Contains("Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task ForwardedHeaders_AreBelievedFromConfiguredProxiesAlone()
    {
        await using TestHost host = await TestHost.StartAsync(device: "none", settings: ["--TinyLlm:Http:TrustedProxies", "127.0.0.1"]);
        await using TestHost other = await TestHost.StartAsync(device: "none", settings: ["--TinyLlm:Http:TrustedProxies", "10.0.0.1"]);
        foreach ((TestHost asked, bool believed) in ((TestHost, bool)[])[(host, true), (other, false), (fixture.Host, false)])
        {
            using HttpRequestMessage request = new(HttpMethod.Get, "/healthz/live");
            request.Headers.Add("X-Forwarded-Proto", "https");
            request.Headers.Add("X-Forwarded-For", "203.0.113.9");
            using HttpResponseMessage answer = await asked.Anonymous.SendAsync(request, Cancel);
            Assert.Equal(believed, answer.Headers.Contains("Strict-Transport-Security"));
        }
    }

    [Theory]
    [InlineData("evil.example", null, false)]
    [InlineData("localhost", null, true)]
    [InlineData("127.0.0.1", null, true)]
    [InlineData("evil.example", "llm.example;*.llm.example", false)]
    [InlineData("127.0.0.1", "llm.example;*.llm.example", false)]
    [InlineData("llm.example", "llm.example;*.llm.example", true)]
    [InlineData("a.llm.example", "llm.example;*.llm.example", true)]
    [InlineData("evil.example", "*", true)]
    public async Task Host_ByConfiguration_IsServedOrRefused(string name, string? allowed, bool served)
    {
        TestHost? own = allowed is null ? null : await TestHost.StartAsync(device: "none", settings: ["--TinyLlm:Http:AllowedHosts", allowed]);
        await using TestHost? disposed = own;
        using HttpRequestMessage request = new(HttpMethod.Get, "/healthz/live");
        request.Headers.Host = name;
        using HttpResponseMessage answer = await (own ?? fixture.Host).Anonymous.SendAsync(request, Cancel);
        Assert.Equal(served ? HttpStatusCode.OK : HttpStatusCode.BadRequest, answer.StatusCode);
        if (!served) Assert.DoesNotContain(name, await answer.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
    }

    /// <summary>
    /// A body of which the end never comes ends with the time that a request may take. On the routes that may work for longer it once had no end: the server's pace is over
    /// the whole request, and who had sent megabytes of a prompt at once could send nothing for hours.
    /// </summary>
    [Fact]
    public async Task RequestTimeout_BodyThatNeverEnds_Is503_AndAnAnswerThatTakesLongerIsWhole()
    {
        SimulatedBackend device = new();
        await using TestHost host = await TestHost.StartAsync(new Accelerator(device), settings: ["--TinyLlm:Http:RequestTimeout", "00:00:10"]);
        using HttpClient alice = await host.CreateUserAsync("alice");
        await TestHost.PushAsync(alice, "m");
        device.Hold();
        Task<HttpResponseMessage> answer = alice.PostAsJsonAsync("/v1/completions", new { model = "m", prompt = "hello", max_tokens = 2, ignore_eos = true }, Cancel);
        device.NextStep(Cancel); // and here it stands: it is older than the others

        string[] routes = ["/api/tokens", "/v1/completions", "/v1/chat/completions", "/v1/embeddings", "/tokenize", "/api/models/alice/m/load", "/api/models/m/uploads/none/commit"];
        string?[] ends = await Task.WhenAll(routes.Select(route => StatusOfHalfABodyAsync(host, route, alice)));

        Assert.All(ends, end => Assert.Equal("HTTP/1.1 503 Service Unavailable", end));
        Assert.False(answer.IsCompleted);
        device.Open();
        Assert.Equal(HttpStatusCode.OK, (await answer).StatusCode);
    }

    /// <summary>Sends half of a body, so much at once that the server's pace of 240 bytes a second is kept for longer than the request may take.</summary>
    private static async Task<string?> StatusOfHalfABodyAsync(TestHost host, string route, HttpClient user)
    {
        using TcpClient client = new();
        await client.ConnectAsync(host.Address.Host, host.Address.Port, Cancel);
        NetworkStream stream = client.GetStream();
        string head = $"POST {route} HTTP/1.1\r\nHost: {host.Address.Authority}\r\nAuthorization: {user.DefaultRequestHeaders.Authorization}\r\nContent-Type: application/json\r\nContent-Length: 16000\r\n\r\n";
        await stream.WriteAsync(Encoding.ASCII.GetBytes(head + new string(' ', 8000)), Cancel);
        using StreamReader reader = new(stream);
        return await reader.ReadLineAsync(Cancel);
    }

    private static HttpRequestMessage Preflight(string origin)
    {
        HttpRequestMessage request = new(HttpMethod.Options, "/v1/chat/completions");
        request.Headers.Add("Origin", origin);
        request.Headers.Add("Access-Control-Request-Method", "POST");
        request.Headers.Add("Access-Control-Request-Headers", "authorization,content-type");
        return request;
    }

    private static string? Header(HttpResponseMessage answer, string name) => answer.Headers.TryGetValues(name, out IEnumerable<string>? values) ? string.Join(", ", values) : null;
}
