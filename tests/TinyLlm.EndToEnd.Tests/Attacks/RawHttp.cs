using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace TinyLlm.EndToEnd.Tests.Attacks;

/// <summary>What came back over a connection that was closed after it.</summary>
/// <param name="Status">The first status; 0 when the connection was closed without an answer.</param>
/// <param name="Head">Status line and headers.</param>
/// <param name="Body">All bytes after the head, as Latin-1.</param>
internal sealed record RawAnswer(int Status, string Head, string Body)
{
    /// <summary>How many answers came.</summary>
    public int Answers => (Head + Body).Split("HTTP/1.1 ").Length - 1;
}

/// <summary>HTTP/1.1 byte by byte: sends what no client library would.</summary>
internal static class RawHttp
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    /// <summary>One request; without a body there is no Content-Length.</summary>
    public static Task<RawAnswer> SendAsync(Uri host, string method, string target, string? token, byte[]? body = null, params string[] headers)
    {
        StringBuilder head = new();
        head.Append(CultureInfo.InvariantCulture, $"{method} {target} HTTP/1.1\r\n");
        if (!headers.Any(header => header.StartsWith("Host:", StringComparison.Ordinal))) head.Append(CultureInfo.InvariantCulture, $"Host: {host.Authority}\r\n");
        if (token is not null) head.Append(CultureInfo.InvariantCulture, $"Authorization: Bearer {token}\r\n");
        foreach (string header in headers) head.Append(header).Append("\r\n");
        if (body is not null) head.Append(CultureInfo.InvariantCulture, $"Content-Length: {body.Length}\r\n");
        head.Append("Connection: close\r\n\r\n");
        return SendAsync(host, [.. Encoding.Latin1.GetBytes(head.ToString()), .. body ?? []]);
    }

    /// <summary>These bytes, and everything that the server says until it closes.</summary>
    public static async Task<RawAnswer> SendAsync(Uri host, byte[] request)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Limit);
        using TcpClient client = new() { NoDelay = true };
        await client.ConnectAsync(host.Host, host.Port, limit.Token);
        NetworkStream stream = client.GetStream();
        using MemoryStream answer = new();
        Task reading = ReadAsync(stream, answer, limit.Token);
        try
        {
            await stream.WriteAsync(request, limit.Token); // not shut down after that: the server would take it for a client that has gone
        }
        catch (Exception exception) when (exception is IOException or SocketException)
        {
            // Refused before all of it was sent.
        }
        await reading;
        return Parse(Encoding.Latin1.GetString(answer.GetBuffer(), 0, (int)answer.Length));
    }

    private static async Task ReadAsync(NetworkStream stream, MemoryStream answer, CancellationToken cancellationToken)
    {
        try
        {
            await stream.CopyToAsync(answer, cancellationToken);
        }
        catch (IOException)
        {
            // Reset: what came before it counts.
        }
    }

    private static RawAnswer Parse(string text)
    {
        int end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        if (end < 0) return new RawAnswer(0, text, "");
        int status = int.Parse(text.AsSpan("HTTP/1.1 ".Length, 3), NumberStyles.None, CultureInfo.InvariantCulture);
        return new RawAnswer(status, text[..end], text[(end + 4)..]);
    }
}
