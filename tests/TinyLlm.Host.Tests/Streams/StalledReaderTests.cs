using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using TinyLlm.Engine;
using TinyLlm.Grains.Residency;
using TinyLlm.Grains.Tests;
using TinyLlm.Host.Streams;
using TinyLlm.Storage;
using TinyLlm.Tests;

namespace TinyLlm.Host.Tests.Streams;

/// <summary>
/// A client that asks for much and never reads. What the sockets of both sides take counts as taken by the server's bound of the pace, some hours of it: these tests
/// ended by nothing before answers were waited for by a deadline of their own.
/// </summary>
[Collection(RunsAlone.Name)]
public sealed class StalledReaderTests
{
    /// <summary>With about a kilobyte of alternatives each, several times what the sockets of both sides hold.</summary>
    private const int AnswerTokens = 20_000;

    /// <summary>More than the sockets of both sides hold.</summary>
    private const int FileBytes = 12 << 20;

    /// <summary>What the kernel holds of a connection on loopback, at most: its bound for a sender (4 MiB of memory, headers included), and what the client asks for.</summary>
    private const int MaxSocketBytes = 4 << 20;

    /// <summary>What a host may hold for one answer that is not read: the server's buffer of 64 KiB and a channel's worth of tokens on either side of a call, with much to spare.</summary>
    private const long MaxHeldBytes = 4 << 20;

    private static readonly TimeSpan s_still = TimeSpan.FromMilliseconds(500);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Answer_ClientReadsNothing_HoldsLittleAndEndsAndGivesItsPlaceBack()
    {
        await using TestHost host = await StartAsync("--TinyLlm:Http:SlowReaderDeadline", "00:00:03");
        using HttpClient alice = await UserAsync(host);
        Assert.Equal(HttpStatusCode.OK, await CompleteAsync(alice));
        LoopSnapshot before = Loop(host).Snapshot();
        long heldBefore = GC.GetTotalMemory(forceFullCollection: true);

        // 1. The answer fills what lies between the device and the client, and stands still there.
        using TcpClient stalled = await AskAsync(host, alice, Completion);
        await StandsStillAsync(host);
        long held = GC.GetTotalMemory(forceFullCollection: true) - heldBefore, steps = Loop(host).Snapshot().Steps - before.Steps;
        Assert.InRange(steps, 1, AnswerTokens / 2);
        Assert.True(held < MaxHeldBytes, $"{held} bytes are held for an answer of which {steps} tokens were made");
        Assert.Equal(HttpStatusCode.TooManyRequests, await CompleteAsync(alice)); // it has the user's one place

        // 2. It is ended, though the client is still there, and the place is another's.
        await Eventually.TrueAsync(() => Streams(host).Count == 0);
        await Eventually.TrueAsync(() => Loop(host).Snapshot() is { RunningSequences: 0, WaitingSequences: 0 });
        await Eventually.TrueAsync(async () => await CompleteAsync(alice) == HttpStatusCode.OK);
        Assert.True(Loop(host).Snapshot().Steps - before.Steps < AnswerTokens);
        Assert.DoesNotContain("[DONE]", await RestAsync(stalled), StringComparison.Ordinal);
    }

    /// <summary>The error event that ends a cut answer has no room to leave: then the connection ends.</summary>
    [Fact]
    public async Task Answer_ClientReadsNothingAndItsTokenIsRevoked_IsOver()
    {
        await using TestHost host = await StartAsync("--TinyLlm:Http:SlowReaderDeadline", "00:59:00");
        using HttpClient alice = await UserAsync(host);
        JsonElement token = await TestHost.Json(await alice.PostAsJsonAsync("/api/tokens", new { name = "t" }, Cancel));
        using HttpClient client = host.Client(token.GetProperty("token").GetString());
        using TcpClient stalled = await AskAsync(host, client, Completion);
        await StandsStillAsync(host);

        Assert.Equal(HttpStatusCode.NoContent, (await alice.DeleteAsync($"/api/tokens/{token.GetProperty("id").GetString()}", Cancel)).StatusCode);

        await Eventually.TrueAsync(() => Streams(host).Count == 0);
        await Eventually.TrueAsync(() => Loop(host).Snapshot().RunningSequences == 0);
        Assert.DoesNotContain("[DONE]", await RestAsync(stalled), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Download_ClientReadsNothing_Ends()
    {
        await using TestHost host = await StartAsync("--TinyLlm:Http:SlowReaderDeadline", "00:00:01");
        using HttpClient alice = await UserAsync(host);
        using TcpClient stalled = await AskAsync(host, alice, (HttpMethod.Get, "/api/models/alice/m/versions/1/files/README.md", null));
        await Eventually.TrueAsync(() => stalled.Available > 0);
        Assert.Equal(1, Streams(host).Count);

        await Eventually.TrueAsync(() => Streams(host).Count == 0);
        Assert.InRange((await RestAsync(stalled)).Length, 0, FileBytes - 1);
        Assert.Equal(FileBytes, (await alice.GetByteArrayAsync("/api/models/alice/m/versions/1/files/README.md", Cancel)).Length); // who reads gets it
    }

    /// <summary>The whole log has no timeout; a page of one has the time that any request may take. Neither is an answer or a download: what ends is the request.</summary>
    [Theory]
    [InlineData("/api/me/audit/export", false)]
    [InlineData("/api/me/audit", false)]
    [InlineData("/api/admin/audit/export", true)]
    [InlineData("/api/admin/audit", true)]
    public async Task AuditLog_ClientReadsNothing_Ends(string route, bool isOperators)
    {
        await using TestHost host = await TestHost.StartAsync(device: "none", settings: ["--TinyLlm:Http:SlowReaderDeadline", "00:00:03", "--TinyLlm:Http:RequestTimeout", "00:00:05"]);
        using HttpClient alice = await host.CreateUserAsync("alice");
        Assert.True(AccessToken.TryParse(alice.DefaultRequestHeaders.Authorization!.Parameter!, out AccessToken token));
        HttpClient caller = isOperators ? host.Admin : alice;
        await LargeLog.PutAsync(host.Services.GetRequiredService<ObjectStore>(), isOperators ? AuditLogId.Operator : AuditLogId.Of(token.User));
        int whole = (await caller.GetByteArrayAsync(route, Cancel)).Length;
        Assert.True(whole > MaxSocketBytes, $"{whole} bytes may all lie in the sockets");

        using EndedRequests ended = new(route);
        using TcpClient stalled = await AskAsync(host, caller, (HttpMethod.Get, route, null));
        await Eventually.TrueAsync(() => ended.Count == 1);
        Assert.InRange((await RestAsync(stalled)).Length, 1, whole - 1);
        Assert.Equal(whole, (await caller.GetByteArrayAsync(route, Cancel)).Length); // who reads gets it
    }

    private static (HttpMethod Method, string Path, object? Body) Completion =>
        (HttpMethod.Post, "/v1/completions", new { model = "m", prompt = "hello", max_tokens = AnswerTokens, temperature = 0, stream = true, logprobs = 5 });

    /// <summary>A host on which nothing but what is tested ends a reader: the engine would wait for an hour.</summary>
    private static Task<TestHost> StartAsync(params string[] settings) => TestHost.StartAsync(
        new Accelerator(new SimulatedBackend { Next = _ => 'a' }),
        services => services.Configure<DeviceLoopOptions>(options => (options.SlowReaderDeadline, options.PrefixCacheShare) = (TimeSpan.FromHours(1), 0)),
        settings: settings);

    /// <summary>A user with one place among the answers, and a model.</summary>
    private static async Task<HttpClient> UserAsync(TestHost host)
    {
        HttpClient alice = await host.CreateUserAsync("alice");
        using (HttpResponseMessage set = await host.Admin.PutAsJsonAsync("/api/admin/users/alice/quota", new { concurrent_streams = 1, tokens_per_minute = 1_000_000_000 }, Cancel))
            Assert.True(set.IsSuccessStatusCode, await set.Content.ReadAsStringAsync(Cancel));
        Dictionary<string, byte[]> files = TinyModel.Files(contextLength: AnswerTokens + 64);
        files["README.md"] = new byte[FileBytes];
        await TestHost.PushAsync(alice, "m", files);
        return alice;
    }

    private static async Task<HttpStatusCode> CompleteAsync(HttpClient user)
    {
        using HttpResponseMessage response = await user.PostAsJsonAsync("/v1/completions", new { model = "m", prompt = "a", max_tokens = 1, temperature = 0 }, Cancel);
        return response.StatusCode;
    }

    /// <summary>Waits until the device has made no token for half a second, because the answer's reader is behind: what lies between is full.</summary>
    private static Task StandsStillAsync(TestHost host)
    {
        long steps = -1, since = 0;
        return Eventually.TrueAsync(() =>
        {
            LoopSnapshot now = Loop(host).Snapshot();
            if (now.PausedSequences != 1 || now.Steps != steps) (steps, since) = (now.Steps, Stopwatch.GetTimestamp());
            return Stopwatch.GetElapsedTime(since) > s_still;
        });
    }

    /// <summary>Sends a request on a connection of its own, which takes little before it is read, and reads nothing.</summary>
    private static async Task<TcpClient> AskAsync(TestHost host, HttpClient user, (HttpMethod Method, string Path, object? Body) request)
    {
        string body = request.Body is null ? "" : JsonSerializer.Serialize(request.Body);
        TcpClient client = new() { ReceiveBufferSize = 16 << 10 };
        await client.ConnectAsync(host.Address.Host, host.Address.Port, Cancel);
        await client.GetStream().WriteAsync(
            Encoding.ASCII.GetBytes(
                $"{request.Method} {request.Path} HTTP/1.1\r\nHost: {host.Address.Authority}\r\nAuthorization: {user.DefaultRequestHeaders.Authorization}\r\n"
                + $"Content-Type: application/json\r\nConnection: close\r\nContent-Length: {body.Length}\r\n\r\n{body}"),
            Cancel);
        return client;
    }

    /// <summary>What a client still gets that begins to read after the host gave it up: what its own socket holds, at most.</summary>
    private static async Task<string> RestAsync(TcpClient client)
    {
        using MemoryStream rest = new();
        try
        {
            await client.GetStream().CopyToAsync(rest, Cancel);
        }
        catch (IOException)
        {
            // the host broke the connection
        }
        return Encoding.ASCII.GetString(rest.ToArray());
    }

    private static RunningStreams Streams(TestHost host) => host.Services.GetRequiredService<RunningStreams>();

    private static DeviceLoop Loop(TestHost host) => host.Services.GetRequiredService<DeviceLoop>();
}
