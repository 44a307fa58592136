using System.Net.Sockets;
using System.Text;
using TinyLlm.Grains.Tests;

namespace TinyLlm.Host.Tests.Hardening;

/// <summary>What holds a connection for nothing loses it, and there are no more of them than the operator says.</summary>
public sealed class ConnectionTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>The head of a request must be there within 15 s, and a body come at 240 bytes a second after its first ten seconds; a request itself may take a minute.</summary>
    [Fact]
    public async Task SlowClient_HalfAHeadOrHalfABody_LosesItsConnection()
    {
        await using TestHost host = await TestHost.StartAsync(device: "none");
        string token = host.Admin.DefaultRequestHeaders.Authorization!.Parameter!;
        string head = $"POST /api/users HTTP/1.1\r\nHost: {host.Address.Authority}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n";

        string[] answers = await Task.WhenAll(((string[])[head[..^4], head + "{"]).Select(begun => WholeAnswerAsync(host, begun)));

        Assert.StartsWith("HTTP/1.1 408 ", answers[0], StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 400 ", answers[1], StringComparison.Ordinal);
        Assert.Contains("too slowly", answers[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connections_BeyondTheBound_AreClosedUntilOneIsFree()
    {
        await using TestHost host = await TestHost.StartAsync(device: "none", settings: ["--TinyLlm:Http:MaxConnections", "2"]);
        using TcpClient first = await ConnectAsync(host), second = await ConnectAsync(host);
        Assert.True(await IsServedAsync(first, host));
        Assert.True(await IsServedAsync(second, host));
        using (TcpClient third = await ConnectAsync(host)) Assert.False(await IsServedAsync(third, host));
        Assert.True(await IsServedAsync(first, host)); // those that were there are served as before

        second.Dispose();
        await Eventually.TrueAsync(async () =>
        {
            using TcpClient next = await ConnectAsync(host);
            return await IsServedAsync(next, host);
        });
    }

    private static async Task<TcpClient> ConnectAsync(TestHost host)
    {
        TcpClient client = new();
        await client.ConnectAsync(host.Address.Host, host.Address.Port, Cancel);
        return client;
    }

    /// <summary>What a client is sent, until the host closes the connection.</summary>
    private static async Task<string> WholeAnswerAsync(TestHost host, string begun)
    {
        using TcpClient client = await ConnectAsync(host);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(begun), Cancel);
        using StreamReader reader = new(client.GetStream());
        return await reader.ReadToEndAsync(Cancel);
    }

    /// <summary>Whether a request on this connection has an answer; the connection stays.</summary>
    private static async Task<bool> IsServedAsync(TcpClient client, TestHost host)
    {
        NetworkStream stream = client.GetStream();
        byte[] answer = new byte[4096];
        try
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes($"GET /healthz/live HTTP/1.1\r\nHost: {host.Address.Authority}\r\n\r\n"), Cancel);
            return await stream.ReadAsync(answer, Cancel) > 0;
        }
        catch (IOException)
        {
            return false; // closed before it could be asked
        }
    }
}
