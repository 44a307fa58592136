using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace TinyLlm.EndToEnd.Tests.Attacks;

/// <summary>By what stands in a request's fields.</summary>
internal static class FieldAttacks
{
    public static Attack[] All { get; } =
    [
        new("unknown and negative and absurd numbers", NumbersAsync),
        new("bad JSON schema", SchemasAsync),
        new("catastrophic regex", RegexAsync),
        new("error-text leaks", LeaksAsync),
        new("any URL or file:// in a field", UrlsAsync),
        new("mass assignment of owner or role", MassAssignmentAsync),
        new("cross-user cache hits", CacheHitsAsync),
    ];

    private static async Task NumbersAsync(AttackGround ground)
    {
        string[] members =
        [
            "\"n\":1000000000", "\"n\":-1", "\"n\":0", "\"n\":1e400", "\"n\":1.5", "\"max_tokens\":-1", "\"max_tokens\":0", "\"max_tokens\":1e9", "\"max_tokens\":99999999999999999999",
            "\"temperature\":-1", "\"temperature\":1e308", "\"temperature\":NaN", "\"temperature\":Infinity", "\"temperature\":\"hot\"", "\"top_p\":-0.1", "\"top_p\":2", "\"top_k\":-7",
            "\"seed\":1e40", "\"stop\":[1,2]", "\"stream\":1", "\"prompt\":{}", "\"prompt\":[-1]", "\"prompt\":[4294967296]", "\"logprobs\":-3", "\"presence_penalty\":1e9", "\"logit_bias\":{\"-5\":1e9}",
        ];
        foreach (string member in members)
        {
            string json = $$"""{"model":"tiny","prompt":"a",{{member}}}""";
            if (member.StartsWith("\"prompt\"", StringComparison.Ordinal)) json = $$"""{"model":"tiny",{{member}}}""";
            AttackGround.RefusedInWords(await ground.SendJsonAsync("POST", "/v1/completions", json), 400);
        }
        AttackGround.RefusedInWords(await ground.SendAsync("GET", "/api/me/audit?limit=1000000000"), 400);
        AttackGround.RefusedInWords(await ground.SendAsync("GET", "/api/me/audit?after=-1"), 400);
        AttackGround.RefusedInWords(await ground.SendAsync("GET", "/api/me/usage?from=0001-01-01"), 400);
        AttackGround.RefusedInWords(await ground.SendAsync("GET", "/api/models/mallory/tiny/versions/99999999999999999999/files/config.json"), 404);
        AttackGround.RefusedInWords(await ground.SendAsync("GET", "/api/models/mallory/tiny/versions/-1/files/config.json"), 404);
    }

    private static async Task SchemasAsync(AttackGround ground)
    {
        string deep = string.Concat(Enumerable.Repeat("{\"type\":\"array\",\"items\":", 500)) + "{}" + new string('}', 500);
        string[] formats =
        [
            """{"type":"json_schema"}""", """{"type":"json_schema","json_schema":{"name":"x","schema":7}}""", """{"type":"json_schema","json_schema":{"name":"x","schema":{"type":"nonsense"}}}""",
            """{"type":"nonsense"}""", """{"type":"json_schema","json_schema":{"name":"x","schema":{"$ref":"http://evil.example/schema"}}}""",
            """{"type":"json_schema","json_schema":{"name":"x","schema":{"$ref":"#/nowhere"}}}""", $$$"""{"type":"json_schema","json_schema":{"name":"x","schema":{{{deep}}}}}""",
        ];
        foreach (string format in formats) AttackGround.RefusedInWords(await ground.CompleteAsync($",\"response_format\":{format}"), 400);
        // One that refers to itself may be refused or followed, but it ends.
        AttackGround.Refused(await ground.CompleteAsync(""","response_format":{"type":"json_schema","json_schema":{"name":"x","schema":{"$ref":"#"}}}"""), 200, 400);
    }

    /// <summary>Patterns and texts that take a backtracking matcher for ever, wherever a text or a pattern is taken.</summary>
    private static async Task RegexAsync(AttackGround ground)
    {
        string text = new string('a', 50_000) + "!";
        AttackGround.Refused(await ground.SendJsonAsync("POST", "/v1/completions", $$"""{"model":"tiny","prompt":"{{text}}","max_tokens":1}"""), 400);
        AttackGround.Refused(await ground.CompleteAsync($",\"stop\":[\"{text[..200]}\",\"(a+)+$\"]"), 200, 400);
        AttackGround.Refused(
            await ground.CompleteAsync(""","response_format":{"type":"json_schema","json_schema":{"name":"x","schema":{"type":"string","pattern":"^(a+)+$"}}}"""), 200, 400);
        string tokenizer = Encoding.UTF8.GetString(TinyLlm.Tests.TinyModel.Files()["tokenizer.json"]).Replace(
            "\"post_processor\"", "\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":{\"Regex\":\"(a+)+$\"},\"behavior\":\"Isolated\",\"invert\":false},\"post_processor\"", StringComparison.Ordinal);
        AttackGround.Refused(
            await ground.PushAsync(new Dictionary<string, byte[]>(TinyLlm.Tests.TinyModel.Files()) { ["tokenizer.json"] = Encoding.UTF8.GetBytes(tokenizer) }), 200, 400, 422);
    }

    private static async Task LeaksAsync(AttackGround ground)
    {
        string nested = new string('[', 10_000) + new string(']', 10_000);
        foreach (string json in (string[])["", "{", "nul", "[1,", "\"\ud800", "{\"a\":1,\"a\":2}", nested, "{\"model\":" + nested + "}", "\u00ef\u00bb\u00bf{}", "{\"model\":null}"])
        {
            foreach (string route in (string[])["/v1/completions", "/v1/chat/completions", "/api/tokens"])
                AttackGround.RefusedInWords(await ground.SendAsync("POST", route, Encoding.Latin1.GetBytes(json), "Content-Type: application/json"), 400);
        }
        AttackGround.RefusedInWords(await ground.SendAsync("POST", "/v1/completions", [0xff, 0xfe, 0x00], "Content-Type: application/json"), 400);
        AttackGround.RefusedInWords(await ground.SendAsync("POST", "/v1/completions", new byte[5 << 20], "Content-Type: application/json"), 413);
        AttackGround.RefusedInWords(await ground.SendAsync("POST", "/api/tokens", new byte[100 << 10], "Content-Type: application/json"), 413);
        AttackGround.RefusedInWords(await ground.SendAsync("POST", "/api/tokens", "<xml/>"u8.ToArray(), "Content-Type: text/xml"), 415);
        AttackGround.RefusedInWords(await ground.SendAsync("PATCH", "/api/tokens"), 405);
        AttackGround.RefusedInWords(await ground.SendAsync("GET", "/api/nothing"), 404);
        AttackGround.RefusedInWords(await ground.SendAsync("GET", "/.git/config"), 404);
    }

    /// <summary>Nothing in a field is ever fetched or opened: a listener waits for a connection that must not come.</summary>
    private static async Task UrlsAsync(AttackGround ground)
    {
        using TcpListener trap = new(IPAddress.Loopback, 0);
        trap.Start();
        string[] urls = [$"http://127.0.0.1:{((IPEndPoint)trap.LocalEndpoint).Port}/x", "file:///etc/passwd", "/etc/passwd", "\\\\\\\\evil.example\\\\share"];
        foreach (string url in urls)
        {
            RawAnswer[] answers =
            [
                await ground.SendJsonAsync("POST", "/v1/completions", $$"""{"model":"{{url}}","prompt":"a"}"""),
                await ground.CompleteAsync($",\"user\":\"{url}\",\"suffix\":null,\"metadata\":{{\"url\":\"{url}\"}}"),
                await ground.SendJsonAsync("POST", "/v1/chat/completions", $$$"""{"model":"tiny","max_tokens":1,"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"{{{url}}}"}}]}]}"""),
                await ground.SendJsonAsync("POST", "/api/tokens", $$"""{"name":"x","models":["{{url}}"]}"""),
                await ground.PushAsync(new Dictionary<string, byte[]>(TinyLlm.Tests.TinyModel.Files())
                {
                    ["model.safetensors.index.json"] = Encoding.UTF8.GetBytes($$$"""{"metadata":{"total_size":1},"weight_map":{"model.embed_tokens.weight":"{{{url}}}"}}"""),
                }),
            ];
            AttackGround.Refused(answers[0], 400, 404);
            AttackGround.Refused(answers[1], 200, 400);
            AttackGround.Refused(answers[2], 400);
            AttackGround.Refused(answers[3], 400, 404);
            AttackGround.Refused(answers[4], 422);
            Assert.All(answers, answer => Assert.DoesNotContain("root:", answer.Body, StringComparison.Ordinal));
        }
        Assert.False(trap.Pending(), "the host followed a URL");
    }

    /// <summary>A prompt that another user of the same model has just sent is as new to mallory's answer as any.</summary>
    private static async Task CacheHitsAsync(AttackGround ground)
    {
        string prompt = string.Concat(Enumerable.Repeat($"{Guid.NewGuid():N}", 4));
        JsonObject request = new() { ["model"] = "alice/shared", ["prompt"] = prompt, ["max_tokens"] = 1, ["user"] = "bob", ["cache_salt"] = "bob" };
        await ground.Bob.PostAsync("v1/completions", request);
        Assert.True(Cached(await ground.Bob.PostAsync("v1/completions", request)) > 0); // there is something to hit
        JsonNode answer = await ground.Mallory.PostAsync("v1/completions", request);
        Assert.True((int)answer["usage"]!["prompt_tokens"]! > prompt.Length);
        Assert.Equal(0, Cached(answer));

        static int Cached(JsonNode answer) => (int)answer["usage"]!["prompt_tokens_details"]!["cached_tokens"]!;
    }

    private static async Task MassAssignmentAsync(AttackGround ground)
    {
        AttackGround.RefusedInWords(await ground.SendJsonAsync("POST", "/api/tokens", """{"name":"x","scopes":["admin"]}"""), 403);
        foreach (string member in (string[])["\"owner\":\"alice\"", "\"user\":\"alice\"", "\"role\":\"admin\"", "\"id\":\"tok_1\"", "\"is_admin\":true", "\"Scopes\":[\"admin\"]", "\"__proto__\":{}"])
            AttackGround.RefusedInWords(await ground.SendJsonAsync("POST", "/api/tokens", $$"""{"name":"x",{{member}}}"""), 400);
        AttackGround.RefusedInWords(await ground.SendJsonAsync("POST", "/api/users", """{"id":"eve"}"""), 403);
        RawAnswer asAlice = await ground.CompleteAsync(",\"owner\":\"alice\",\"caller\":\"alice\"");
        Assert.Equal(200, asAlice.Status); // ignored, and said so
        RawAnswer upload = await ground.SendJsonAsync("POST", "/api/models/alice%2Ftiny/uploads", """{"owner":"alice"}""");
        AttackGround.RefusedInWords(upload, 400, 404);
    }
}
