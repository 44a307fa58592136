using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using TinyLlm.Tests;

namespace TinyLlm.Host.Tests.OpenAi;

/// <summary>
/// A model whose tokenizer makes a text grow beyond its bound loads, and fails only when such a text comes. That once was a 500, as if the host
/// had failed; it is the model that is invalid.
/// </summary>
public sealed class TokenizerFaultTests(TestHostFixture fixture) : IClassFixture<TestHostFixture>
{
    [Theory]
    [InlineData("/v1/completions", """{"model":"m","prompt":"TEXT"}""")]
    [InlineData("/v1/chat/completions", """{"model":"m","messages":[{"role":"user","content":"TEXT"}]}""")]
    [InlineData("/v1/embeddings", """{"model":"m","input":"TEXT"}""")]
    [InlineData("/tokenize", """{"model":"m","prompt":"TEXT"}""")]
    public async Task Encode_TextThatTheTokenizerBlowsUp_Is422OfTheModel(string route, string body)
    {
        using HttpClient user = await fixture.Host.CreateUserAsync("grow" + route.Replace("/", "", StringComparison.Ordinal));
        Dictionary<string, byte[]> files = TinyModel.Files();
        JsonNode tokenizer = JsonNode.Parse(files["tokenizer.json"])!;
        tokenizer["normalizer"] = new JsonObject { ["type"] = "Replace", ["pattern"] = new JsonObject { ["String"] = "a" }, ["content"] = new string('b', 1000) };
        files["tokenizer.json"] = Encoding.UTF8.GetBytes(tokenizer.ToJsonString());
        await TestHost.PushAsync(user, "m", files);

        using StringContent content = new(body.Replace("TEXT", new string('a', 1000), StringComparison.Ordinal), Encoding.UTF8, "application/json");
        using HttpResponseMessage response = await user.PostAsync(route, content);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
        JsonElement error = (await TestHost.Json(response)).GetProperty("error");
        Assert.Equal("tokenizer_text_grows_too_much", error.GetProperty("code").GetString());

        // A text that it leaves alone is served.
        using HttpResponseMessage good = await user.PostAsJsonAsync("/v1/completions", new { model = "m", prompt = "b", max_tokens = 1 });
        Assert.True(good.IsSuccessStatusCode);
    }
}
