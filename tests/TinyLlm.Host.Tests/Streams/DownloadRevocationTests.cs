using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using TinyLlm.Grains.Tests;
using TinyLlm.Host.Streams;
using TinyLlm.Tests;

namespace TinyLlm.Host.Tests.Streams;

/// <summary>Whatever a running download rests on, it breaks off when that is withdrawn, and is not a whole file.</summary>
public sealed class DownloadRevocationTests : IAsyncLifetime
{
    /// <summary>More than the sockets of both sides hold, so that a reader who waits keeps the download open.</summary>
    private const int FileBytes = 12 << 20;

    private readonly StandingClock _clock = new();
    private TestHost _host = null!;
    private HttpClient _owner = null!;
    private HttpClient _caller = null!;

    public enum Withdrawn
    {
        Token,
        ExpiredToken,
        Grant,
        ExpiredGrant,
        ReplacedGrant,
        EveryonesGrant,
        Version,
        Owner,
        Caller,
    }

    public async ValueTask InitializeAsync()
    {
        _host = await TestHost.StartAsync(device: "none", services: services =>
        {
            services.AddSingleton<TimeProvider>(_clock);
            services.Configure<KestrelServerOptions>(kestrel => kestrel.Limits.MinResponseDataRate = null); // it would end who does not read, too
        });
        (_owner, _caller) = (await _host.CreateUserAsync("owner"), await _host.CreateUserAsync("caller"));
        Dictionary<string, byte[]> files = TinyModel.Files();
        files["README.md"] = new byte[FileBytes];
        await TestHost.PushAsync(_owner, "m", files);
    }

    public async ValueTask DisposeAsync()
    {
        _owner.Dispose();
        _caller.Dispose();
        await _host.DisposeAsync();
    }

    [Fact]
    public async Task Download_NothingWithdrawn_IsWholeAndTakesNoPlaceOfAnAnswer()
    {
        using (await _owner.PutAsJsonAsync("/api/models/owner/m/grants/caller", new { rights = new[] { "download" } })) { }
        using (await _host.Admin.PutAsJsonAsync("/api/admin/users/caller/quota", new { concurrent_streams = 1 })) { }
        using HttpResponseMessage first = await StartAsync(_caller), second = await StartAsync(_caller);
        Assert.Equal(2, Streams.Count); // neither is read yet
        foreach (HttpResponseMessage download in (HttpResponseMessage[])[first, second])
            Assert.Equal(FileBytes, (await download.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken)).Length);
        await EndedAsync();
    }

    [Theory]
    [InlineData(Withdrawn.Token)]
    [InlineData(Withdrawn.ExpiredToken)]
    [InlineData(Withdrawn.Grant)]
    [InlineData(Withdrawn.ExpiredGrant)]
    [InlineData(Withdrawn.ReplacedGrant)]
    [InlineData(Withdrawn.EveryonesGrant)]
    [InlineData(Withdrawn.Version)]
    [InlineData(Withdrawn.Owner)]
    [InlineData(Withdrawn.Caller)]
    public async Task Download_RightWithdrawn_BreaksOff(Withdrawn what)
    {
        string grants = $"/api/models/owner/m/grants/{(what == Withdrawn.EveryonesGrant ? "*" : "caller")}";
        DateTimeOffset soon = _clock.GetUtcNow().AddMinutes(1);
        using (await _owner.PutAsJsonAsync(grants, new { rights = new[] { "download" }, expires_at = what == Withdrawn.ExpiredGrant ? soon : (DateTimeOffset?)null })) { }
        JsonElement token = await TestHost.Json(
            await _caller.PostAsJsonAsync("/api/tokens", new { name = "t", expires_at = what == Withdrawn.ExpiredToken ? soon : (DateTimeOffset?)null }));
        using HttpClient client = SlowClient(token.GetProperty("token").GetString()!);
        using HttpResponseMessage download = await StartAsync(client);

        using HttpResponseMessage? done = what switch
        {
            Withdrawn.Token => await _caller.DeleteAsync($"/api/tokens/{token.GetProperty("id").GetString()}"),
            Withdrawn.Grant or Withdrawn.EveryonesGrant => await _owner.DeleteAsync(grants),
            Withdrawn.ReplacedGrant => await _owner.PutAsJsonAsync(grants, new { rights = new[] { "infer" } }),
            Withdrawn.Version => await _owner.DeleteAsync("/api/models/owner/m/versions/1"),
            Withdrawn.Owner => await _host.Admin.DeleteAsync("/api/users/owner"),
            Withdrawn.Caller => await _host.Admin.DeleteAsync("/api/users/caller"),
            _ => null,
        };
        if (done is null) _clock.Advance(TimeSpan.FromMinutes(1));
        else Assert.True(done.IsSuccessStatusCode, await done.Content.ReadAsStringAsync());

        await EndedAsync(); // nobody reads, so nothing but the cut ends it
        Exception broken = await Assert.ThrowsAnyAsync<Exception>(() => download.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
        Assert.True(broken is HttpRequestException or IOException, broken.ToString());
    }

    private RunningStreams Streams => _host.Services.GetRequiredService<RunningStreams>();

    private Task EndedAsync() => Eventually.TrueAsync(() => Streams.Count == 0);

    private static async Task<HttpResponseMessage> StartAsync(HttpClient client)
    {
        HttpResponseMessage response = await client.GetAsync(
            "/api/models/owner/m/versions/1/files/README.md", HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(FileBytes, response.Content.Headers.ContentLength);
        return response;
    }

    /// <summary>A client whose socket takes little before it is read.</summary>
    private HttpClient SlowClient(string token)
    {
        SocketsHttpHandler handler = new()
        {
            MaxResponseDrainSize = 0,
            ConnectCallback = async (context, cancellationToken) =>
            {
                Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 64 << 10 };
                await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        return new HttpClient(handler) { BaseAddress = _host.Address, DefaultRequestHeaders = { Authorization = new("Bearer", token) } };
    }
}
