using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace TinyLlm.Host.Tests.OpenAi;

/// <summary>Several choices, log-probabilities, echo and formats over HTTP, on a tiny model whose tokens are bytes.</summary>
public sealed class ChoicesTests(TestHostFixture fixture) : IClassFixture<TestHostFixture>
{
    private const int FirstByteId = 3;

    private static readonly object[] Hello = [new { role = "user", content = "hi" }];

    [Fact]
    public async Task Completion_SeveralChoices_AreDistinctAndCountedOnce()
    {
        using HttpClient user = await UserWithModelAsync("several");
        JsonElement one = await CompleteAsync(user, new { model = "m", prompt = "hello", max_tokens = 12, seed = 5 });
        JsonElement three = await CompleteAsync(user, new { model = "m", prompt = "hello", max_tokens = 12, seed = 5, n = 3 });
        JsonElement[] choices = [.. three.GetProperty("choices").EnumerateArray()];
        Assert.Equal([0, 1, 2], choices.Select(choice => choice.GetProperty("index").GetInt32()));
        Assert.Equal(3, choices.Select(Text).Distinct().Count());
        Assert.Equal(Text(one.GetProperty("choices")[0]), Text(choices[0]));
        Assert.Equal(Usage(one, "prompt_tokens"), Usage(three, "prompt_tokens"));
        Assert.InRange(Usage(three, "completion_tokens"), 13, 36);

        JsonElement[] chunks = await StreamAsync(user, "/v1/completions", new { model = "m", prompt = "hello", max_tokens = 12, seed = 5, n = 3, stream = true });
        for (int index = 0; index < 3; index++)
        {
            JsonElement[] own = [.. chunks.Select(chunk => chunk.GetProperty("choices")[0]).Where(choice => choice.GetProperty("index").GetInt32() == index)];
            Assert.Equal(Text(choices[index]), string.Concat(own.Select(Text)));
            Assert.Single(own, choice => choice.GetProperty("finish_reason").ValueKind == JsonValueKind.String);
        }
    }

    [Fact]
    public async Task Chat_Logprobs_StreamedAndWhole_SayTheSame()
    {
        using HttpClient user = await UserWithModelAsync("logprobs");
        JsonElement whole = await ChatAsync(user, new { model = "m", messages = Hello, max_tokens = 6, temperature = 0, logprobs = true, top_logprobs = 3 });
        JsonElement[] content = [.. whole.GetProperty("choices")[0].GetProperty("logprobs").GetProperty("content").EnumerateArray()];
        Assert.Equal(Usage(whole, "completion_tokens"), content.Length);
        foreach (JsonElement token in content)
        {
            JsonElement[] top = [.. token.GetProperty("top_logprobs").EnumerateArray()];
            Assert.Equal(3, top.Length);
            // Greedy: the likeliest token is the one that was taken.
            Assert.Equal(token.GetProperty("logprob").GetDouble(), top[0].GetProperty("logprob").GetDouble());
            Assert.Equal(token.GetProperty("bytes").GetRawText(), top[0].GetProperty("bytes").GetRawText());
            Assert.InRange(top.Sum(item => Math.Exp(item.GetProperty("logprob").GetDouble())), 0, 1);
            Assert.True(top[0].GetProperty("logprob").GetDouble() >= top[1].GetProperty("logprob").GetDouble());
        }
        JsonElement[] chunks = await StreamAsync(
            user, "/v1/chat/completions", new { model = "m", messages = Hello, max_tokens = 6, temperature = 0, logprobs = true, top_logprobs = 3, stream = true });
        Assert.Equal(
            content.Select(token => token.GetRawText()),
            chunks.Select(chunk => chunk.GetProperty("choices")[0].GetProperty("logprobs")).Where(item => item.ValueKind == JsonValueKind.Object)
                .SelectMany(item => item.GetProperty("content").EnumerateArray()).Select(token => token.GetRawText()));
    }

    /// <summary>What the model says of its own completion while it writes it, and of the same tokens as a prompt, is the same.</summary>
    [Fact]
    public async Task Completion_EchoedPrompt_HasTheLogprobsOfWriting()
    {
        using HttpClient user = await UserWithModelAsync("echo");
        int[] prompt = [1, .. "hello"u8.ToArray().Select(value => value + FirstByteId)];
        JsonElement written = (await CompleteAsync(user, new { model = "m", prompt, max_tokens = 8, seed = 3, logprobs = 2, return_token_ids = true })).GetProperty("choices")[0];
        int[] ids = [.. written.GetProperty("token_ids").EnumerateArray().Select(id => id.GetInt32())];
        JsonElement scored = await CompleteAsync(user, new { model = "m", prompt = prompt.Concat(ids), max_tokens = 0, echo = true, logprobs = 2 });
        JsonElement logprobs = scored.GetProperty("choices")[0].GetProperty("logprobs");
        JsonElement[] scores = [.. logprobs.GetProperty("token_logprobs").EnumerateArray()];
        Assert.Equal(prompt.Length + ids.Length, scores.Length);
        Assert.Equal(JsonValueKind.Null, scores[0].ValueKind);
        double[] expected = [.. written.GetProperty("logprobs").GetProperty("token_logprobs").EnumerateArray().Select(item => item.GetDouble())];
        Assert.All(expected.Zip(scores[prompt.Length..]), pair => Assert.Equal(pair.First, pair.Second.GetDouble(), 1e-4));
        Assert.Equal("length", scored.GetProperty("choices")[0].GetProperty("finish_reason").GetString());
        Assert.Equal(0, Usage(scored, "completion_tokens"));
        Assert.Equal(scores.Length, logprobs.GetProperty("text_offset").GetArrayLength());
    }

    [Fact]
    public async Task Completion_Echo_BeginsWithThePrompt()
    {
        using HttpClient user = await UserWithModelAsync("begins");
        string plain = Text((await CompleteAsync(user, new { model = "m", prompt = "héllo", max_tokens = 5, temperature = 0 })).GetProperty("choices")[0]);
        JsonElement echoed = (await CompleteAsync(user, new { model = "m", prompt = "héllo", max_tokens = 5, temperature = 0, echo = true, logprobs = 0, n = 2 })).GetProperty("choices")[1];
        Assert.Equal("héllo" + plain, Text(echoed));
        string[] tokens = [.. echoed.GetProperty("logprobs").GetProperty("tokens").EnumerateArray().Select(token => token.GetString()!)];
        int[] offsets = [.. echoed.GetProperty("logprobs").GetProperty("text_offset").EnumerateArray().Select(offset => offset.GetInt32())];
        // <s>, h, two bytes of é, l, l, o
        Assert.Equal([0, 0, 1, 1, 2, 3, 4, 5], offsets[..8]);
        Assert.Equal(["<s>", "h"], tokens[..2]);
    }

    [Fact]
    public async Task Chat_JsonSchema_EndsByItselfAndValidates()
    {
        using HttpClient user = await UserWithModelAsync("schema");
        // White space would be most of what a random model writes.
        Dictionary<string, int> bias = new byte[] { 9, 10, 13, 32 }.ToDictionary(value => $"{value + FirstByteId}", _ => -100);
        object schema = new
        {
            type = "object",
            properties = new { color = new { @enum = new[] { "red", "green" } }, ok = new { type = "boolean" }, sizes = new { type = "array", items = new { type = "integer", minimum = 1, maximum = 30 }, minItems = 1, maxItems = 3 } },
            required = new[] { "color", "ok", "sizes" },
            additionalProperties = false,
        };
        for (int seed = 0; seed < 8; seed++)
        {
            JsonElement answer = await ChatAsync(user, new
            {
                model = "m", messages = Hello, max_tokens = 240, seed, logit_bias = bias,
                response_format = new { type = "json_schema", json_schema = new { name = "thing", strict = true, schema } },
            });
            JsonElement choice = answer.GetProperty("choices")[0];
            Assert.Equal("stop", choice.GetProperty("finish_reason").GetString());
            JsonElement value = JsonSerializer.Deserialize<JsonElement>(choice.GetProperty("message").GetProperty("content").GetString()!);
            Assert.Equal(["color", "ok", "sizes"], value.EnumerateObject().Select(property => property.Name).Order());
            Assert.Contains(value.GetProperty("color").GetString(), new[] { "red", "green" });
            Assert.InRange(value.GetProperty("sizes").GetArrayLength(), 1, 3);
            Assert.All(value.GetProperty("sizes").EnumerateArray(), size => Assert.InRange(size.GetInt32(), 1, 30));
        }
    }

    [Theory]
    [InlineData("""{"type":"integer","minimum":5,"maximum":4}""", "schema_unsatisfiable", "#/minimum")]
    [InlineData("""{"type":"string","pattern":"(a|b)*a(a|b){20}$"}""", "schema_too_large", "#/pattern")]
    [InlineData("""{"not":{}}""", "schema_unsupported", "#/not")]
    public async Task Chat_PathologicalSchema_Is400WithPlaceAndReason(string schema, string code, string place)
    {
        using HttpClient user = await UserWithModelAsync($"bad{Guid.NewGuid():N}");
        string body = """{"model":"m","messages":[{"role":"user","content":"a"}],"response_format":{"type":"json_schema","json_schema":{"name":"x","schema":S}}}""".Replace("S", schema);
        using HttpResponseMessage response = await user.PostAsync("/v1/chat/completions", new StringContent(body, Encoding.UTF8, "application/json"));
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        JsonElement error = (await TestHost.Json(response)).GetProperty("error");
        Assert.Equal((code, "response_format"), (error.GetProperty("code").GetString(), error.GetProperty("param").GetString()));
        Assert.Contains(place + ": ", error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"model":"m","prompt":"a","logit_bias":{"99999":1}}""", "logit_bias")]
    [InlineData("""{"model":"m","prompt":"a","stop_token_ids":[99999]}""", "stop_token_ids")]
    [InlineData("""{"model":"m","prompt":"a","n":1000000000}""", "n")]
    public async Task Completion_OutsideOfTheModel_Is400(string body, string parameter)
    {
        using HttpClient user = await UserWithModelAsync($"out{Guid.NewGuid():N}");
        using HttpResponseMessage response = await user.PostAsync("/v1/completions", new StringContent(body, Encoding.UTF8, "application/json"));
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal(parameter, (await TestHost.Json(response)).GetProperty("error").GetProperty("param").GetString());
    }

    [Fact]
    public async Task Completion_StopTokenIdsAndMinTokens_EndAsTold()
    {
        using HttpClient user = await UserWithModelAsync("stops");
        JsonElement free = (await CompleteAsync(user, new { model = "m", prompt = "hello", max_tokens = 10, temperature = 0, return_token_ids = true })).GetProperty("choices")[0];
        int[] ids = [.. free.GetProperty("token_ids").EnumerateArray().Select(id => id.GetInt32())];
        JsonElement stopped = (await CompleteAsync(
            user, new { model = "m", prompt = "hello", max_tokens = 10, temperature = 0, return_token_ids = true, stop_token_ids = new[] { ids[0] } })).GetProperty("choices")[0];
        Assert.Equal("stop", stopped.GetProperty("finish_reason").GetString());
        Assert.Equal(0, stopped.GetProperty("token_ids").GetArrayLength());
        JsonElement least = await CompleteAsync(
            user, new { model = "m", prompt = "hello", max_tokens = 10, temperature = 0, stop_token_ids = new[] { ids[0] }, min_tokens = 4 });
        Assert.InRange(Usage(least, "completion_tokens"), 4, 10);
    }

    private async Task<HttpClient> UserWithModelAsync(string name)
    {
        HttpClient user = await fixture.Host.CreateUserAsync(name);
        await TestHost.PushAsync(user, "m");
        return user;
    }

    private static Task<JsonElement> CompleteAsync(HttpClient user, object request) => PostAsync(user, "/v1/completions", request);

    private static Task<JsonElement> ChatAsync(HttpClient user, object request) => PostAsync(user, "/v1/chat/completions", request);

    private static async Task<JsonElement> PostAsync(HttpClient user, string route, object request)
    {
        using HttpResponseMessage response = await user.PostAsJsonAsync(route, request);
        Assert.True(response.StatusCode == HttpStatusCode.OK, await response.Content.ReadAsStringAsync());
        return await TestHost.Json(response);
    }

    private static async Task<JsonElement[]> StreamAsync(HttpClient user, string route, object request)
    {
        using HttpResponseMessage response = await user.PostAsJsonAsync(route, request);
        string[] data = [.. (await response.Content.ReadAsStringAsync()).Split("\n\n", StringSplitOptions.RemoveEmptyEntries).Where(item => item.StartsWith("data: ", StringComparison.Ordinal)).Select(item => item[6..])];
        Assert.Equal("[DONE]", data[^1]);
        return [.. data[..^1].Select(item => JsonDocument.Parse(item).RootElement)];
    }

    private static string Text(JsonElement choice) => choice.GetProperty("text").GetString()!;

    private static int Usage(JsonElement answer, string name) => answer.GetProperty("usage").GetProperty(name).GetInt32();
}
