namespace TinyLlm.EndToEnd.Tests.Attacks;

/// <summary>By how HTTP is spoken.</summary>
internal static class WireAttacks
{
    public static Attack[] All { get; } =
    [
        new("giant headers", GiantHeadersAsync),
        new("tiny chunks", TinyChunksAsync),
        new("request smuggling", SmugglingAsync),
        new("foreign Host header", ForeignHostAsync),
        new("CR/LF and ANSI in names", ControlCharactersAsync),
    ];

    private static async Task GiantHeadersAsync(AttackGround ground)
    {
        AttackGround.Refused(await ground.SendAsync("GET", "/api/me", null, $"X-Big: {new string('a', 64 << 10)}"), 431);
        AttackGround.Refused(await ground.SendAsync("GET", "/api/me", null, [.. Enumerable.Range(0, 500).Select(i => $"X-{i}: a")]), 431);
        AttackGround.Refused(await ground.SendAsync("GET", $"/api/me?{new string('a', 64 << 10)}"), 414);
        AttackGround.Refused(await RawHttp.SendAsync(ground.Host.Url, "GET", "/api/me", new string('a', 8 << 10)), 401);
    }

    private static async Task TinyChunksAsync(AttackGround ground)
    {
        string head = $"POST /v1/completions HTTP/1.1\r\nHost: {ground.Host.Url.Authority}\r\nAuthorization: Bearer {ground.Mallory.Token}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
        string json = """{"model":"tiny","prompt":"a","max_tokens":1,"temperature":0}""";
        Assert.Equal(200, (await ground.SendBytesAsync(head + string.Concat(json.Select(c => $"1\r\n{c}\r\n")) + "0\r\n\r\n")).Status);
        AttackGround.Refused(await ground.SendBytesAsync(head + string.Concat(Enumerable.Repeat("1\r\n \r\n", 20_000)) + "0\r\n\r\n"), 400);
        AttackGround.Refused(await ground.SendBytesAsync(head + $"1;{new string('x', 64 << 10)}\r\na\r\n0\r\n\r\n"), 400, 413);
        AttackGround.Refused(await ground.SendBytesAsync(head + "FFFFFFFFFFFFFFFFF\r\na\r\n0\r\n\r\n"), 400);
        AttackGround.Refused(await ground.SendBytesAsync(head + "-1\r\na\r\n0\r\n\r\n"), 400);
    }

    /// <summary>Whatever the host makes of such a request, a second one in its body is never answered.</summary>
    private static async Task SmugglingAsync(AttackGround ground)
    {
        string authority = ground.Host.Url.Authority;
        string smuggled = $"GET /healthz/live HTTP/1.1\r\nHost: {authority}\r\nX-Smuggled: 1\r\n\r\n";
        string start = $"POST /api/tokens HTTP/1.1\r\nHost: {authority}\r\nAuthorization: Bearer {ground.Mallory.Token}\r\nContent-Type: application/json\r\n";
        string[] requests =
        [
            start + $"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}",
            start + $"Content-Length: 0\r\nContent-Length: {smuggled.Length}\r\n\r\n{smuggled}",
            start + $"Content-Length: 0, {smuggled.Length}\r\n\r\n{smuggled}",
            start + $"Content-Length: 0x0\r\n\r\n{smuggled}",
            start + $"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n{smuggled}",
            start + $"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n{smuggled}",
            start + $"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n{smuggled}",
            start + $"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n{smuggled}",
        ];
        foreach (string request in requests)
        {
            RawAnswer answer = await ground.SendBytesAsync(request);
            Assert.True(answer.Status == 400 && answer.Answers == 1, $"{request[start.Length..].Split("\r\n\r\n")[0]}: {answer.Answers} answers, {answer.Head}");
        }
    }

    private static async Task ForeignHostAsync(AttackGround ground)
    {
        string[] hosts = ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.evil.example", "169.254.169.254", "0.0.0.0", "[::ffff:1.2.3.4]"];
        foreach (string host in hosts)
        {
            foreach (string route in (string[])["/api/me", "/v1/models", "/healthz/live", "/openapi/v1.json"])
                AttackGround.RefusedInWords(await ground.SendAsync("GET", route, null, $"Host: {host}"), 400);
        }
        AttackGround.Refused(await ground.SendBytesAsync("GET /healthz/live HTTP/1.1\r\nConnection: close\r\n\r\n"), 400);
        AttackGround.Refused(await ground.SendBytesAsync($"GET /healthz/live HTTP/1.1\r\nHost: {ground.Host.Url.Authority}\r\nHost: evil.example\r\nConnection: close\r\n\r\n"), 400);
        AttackGround.Refused(await ground.SendBytesAsync($"GET http://evil.example/healthz/live HTTP/1.1\r\nHost: {ground.Host.Url.Authority}\r\nConnection: close\r\n\r\n"), 400);

        // Nobody is believed to be a proxy, and a name in a header changes no answer.
        RawAnswer described = await ground.SendAsync("GET", "/openapi/v1.json", null, "X-Forwarded-Host: evil.example", "X-Forwarded-Proto: https", "Forwarded: host=evil.example");
        Assert.Equal(200, described.Status);
        Assert.DoesNotContain("evil.example", described.Body, StringComparison.Ordinal);
        Assert.DoesNotContain("Strict-Transport-Security", described.Head, StringComparison.OrdinalIgnoreCase);
    }

    private static async Task ControlCharactersAsync(AttackGround ground)
    {
        foreach (string name in (string[])["a\\r\\nSet-Cookie: x=1", "a\\u001b[31mred", "a\\u0000b", "a\\u0085b", "a\\u009b31m"])
            AttackGround.RefusedInWords(await ground.SendJsonAsync("POST", "/api/tokens", $$"""{"name":"{{name}}"}"""), 400);
        foreach (string name in (string[])["a%0d%0aSet-Cookie:x=1", "a%1b%5b31m", "a%0ab", "a%00", "a%e2%80%ae"])
        {
            AttackGround.Refused(await ground.SendAsync("POST", $"/api/models/{name}/uploads"), 400, 404);
            AttackGround.Refused(await ground.SendAsync("GET", $"/v1/models/{name}"), 400, 404);
            AttackGround.Refused(await ground.SendAsync("DELETE", $"/api/tokens/{name}"), 400, 404);
        }
        RawAnswer ignored = await ground.CompleteAsync(""","x\r\nSet-Cookie: stolen=1":1,"y\u001b[31m":2""");
        Assert.DoesNotContain("Set-Cookie", ignored.Head, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain('\u001b', ignored.Head);
        AttackGround.Refused(await ground.SendAsync("GET", "/api/me", null, "X-A: b\rc"), 400);
        Assert.DoesNotContain('\u001b', ground.Host.Output);
    }
}
