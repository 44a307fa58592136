using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using TinyLlm.Tests;

namespace TinyLlm.Host.Tests.OpenAi;

/// <summary>Answers in an asked format that can't be whole: one that the bound on tokens cuts says so, and one that no token goes on is an error.</summary>
public sealed class FormatTests(TestHostFixture fixture) : IClassFixture<TestHostFixture>
{
    private const int MaxTokens = 40;

    private static readonly object LongWord = new
    {
        type = "object",
        properties = new { word = new { type = "string", pattern = "^[a-z]{60,80}$" } },
        required = new[] { "word" },
        additionalProperties = false,
    };

    private static readonly object EmptyList = new { type = "array", maxItems = 0 };

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Chat_JsonSchemaCutByMaxTokens_IsAPrefixAndSaysLength(int seed)
    {
        using HttpClient user = await UserWithModelAsync($"cut{seed}", TinyModel.Files());
        object request = Request(LongWord, seed, stream: false);
        using HttpResponseMessage response = await user.PostAsJsonAsync("/v1/chat/completions", request);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        JsonElement answer = await TestHost.Json(response), choice = answer.GetProperty("choices")[0];
        string text = choice.GetProperty("message").GetProperty("content").GetString()!;
        Assert.Equal("length", choice.GetProperty("finish_reason").GetString());
        Assert.Equal(MaxTokens, answer.GetProperty("usage").GetProperty("completion_tokens").GetInt32());
        RequirePrefix(text);

        string stream = await StreamAsync(user, Request(LongWord, seed, stream: true));
        JsonElement[] chunks = [.. stream.Split("\n\n", StringSplitOptions.RemoveEmptyEntries)[..^1].Select(item => JsonDocument.Parse(item["data: ".Length..]).RootElement.GetProperty("choices")[0])];
        Assert.EndsWith("data: [DONE]\n\n", stream, StringComparison.Ordinal);
        Assert.Equal("length", chunks[^1].GetProperty("finish_reason").GetString());
        Assert.Equal(text, string.Concat(chunks.Select(chunk => chunk.GetProperty("delta").TryGetProperty("content", out JsonElement content) ? content.GetString() : "")));
    }

    /// <summary>
    /// A tokenizer without the closing bracket begins a list and can't end it. That once was a 503 that asked for a repeat, which would have failed as well.
    /// </summary>
    [Fact]
    public async Task Chat_NoTokenGoesOnInTheFormat_Is400OfTheFormat()
    {
        using HttpClient user = await UserWithModelAsync("deadend", WithoutClosingBracket());
        using HttpResponseMessage response = await user.PostAsJsonAsync("/v1/chat/completions", Request(EmptyList, seed: 1, stream: false, maxTokens: 200));
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        RequireDeadEnd((await TestHost.Json(response)).GetProperty("error"));

        string stream = await StreamAsync(user, Request(EmptyList, seed: 1, stream: true, maxTokens: 200));
        Assert.DoesNotContain("[DONE]", stream, StringComparison.Ordinal);
        Assert.DoesNotContain("\"finish_reason\":\"", stream, StringComparison.Ordinal);
        RequireDeadEnd(JsonDocument.Parse(stream.TrimEnd().Split("\n\n")[^1]["data: ".Length..]).RootElement.GetProperty("error"));

        // What can be written is written.
        using HttpResponseMessage good = await user.PostAsJsonAsync("/v1/chat/completions", Request(new { @const = 7 }, seed: 1, stream: false, maxTokens: 200));
        Assert.Equal("7", (await TestHost.Json(good)).GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString()!.Trim());
        Assert.Equal(0, fixture.Host.Models.Snapshot().Running);
    }

    /// <summary>Weights that overflow load, and give no numbers: the model's fault, and once a 500 as if it were the host's.</summary>
    [Fact]
    public async Task Completion_WeightsThatOverflow_Is422OfTheModel()
    {
        Dictionary<string, byte[]> files = TinyModel.Files();
        byte[] weights = files["model.safetensors"];
        BitConverter.TryWriteBytes(weights.AsSpan(weights.Length - sizeof(float)), float.NaN);
        using HttpClient user = await UserWithModelAsync("overflow", files);
        using HttpResponseMessage response = await user.PostAsJsonAsync("/v1/completions", new { model = "m", prompt = "a", max_tokens = 1 });
        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
        Assert.Equal("model_not_finite", (await TestHost.Json(response)).GetProperty("error").GetProperty("code").GetString());
    }

    private static object Request(object schema, int seed, bool stream, int maxTokens = MaxTokens) => new
    {
        model = "m", messages = new[] { new { role = "user", content = "hi" } }, max_tokens = maxTokens, seed, stream,
        response_format = new { type = "json_schema", json_schema = new { name = "thing", strict = true, schema } },
    };

    private static async Task<string> StreamAsync(HttpClient user, object request)
    {
        using HttpResponseMessage response = await user.PostAsJsonAsync("/v1/chat/completions", request);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await response.Content.ReadAsStringAsync();
    }

    private static void RequireDeadEnd(JsonElement error)
    {
        Assert.Equal(("schema_no_token", "response_format"), (error.GetProperty("code").GetString(), error.GetProperty("param").GetString()));
        Assert.Contains("no token", error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    /// <summary>A reader that is told that more may come takes it all, and one that is told that this is all does not.</summary>
    private static void RequirePrefix(string text)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(text);
        Utf8JsonReader reader = new(utf8, isFinalBlock: false, default);
        while (reader.Read()) { }
        Assert.StartsWith("{", text.TrimStart(), StringComparison.Ordinal);
        Assert.ThrowsAny<JsonException>(() => JsonDocument.Parse(utf8));
    }

    private static Dictionary<string, byte[]> WithoutClosingBracket()
    {
        Dictionary<string, byte[]> files = TinyModel.Files();
        JsonNode tokenizer = JsonNode.Parse(files["tokenizer.json"])!;
        JsonObject vocabulary = tokenizer["model"]!["vocab"]!.AsObject();
        JsonNode id = vocabulary["<0x5D>"]!.DeepClone();
        vocabulary.Remove("<0x5D>");
        vocabulary["zz"] = id;
        files["tokenizer.json"] = Encoding.UTF8.GetBytes(tokenizer.ToJsonString());
        return files;
    }

    private async Task<HttpClient> UserWithModelAsync(string name, Dictionary<string, byte[]> files)
    {
        HttpClient user = await fixture.Host.CreateUserAsync(name);
        await TestHost.PushAsync(user, "m", files);
        return user;
    }
}
