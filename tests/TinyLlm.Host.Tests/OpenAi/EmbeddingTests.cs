using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using TinyLlm.Tests;

namespace TinyLlm.Host.Tests.OpenAi;

/// <summary>POST /v1/embeddings on a tiny model of the project's own.</summary>
public sealed class EmbeddingTests(TestHostFixture fixture) : IClassFixture<TestHostFixture>
{
    [Fact]
    public async Task Embeddings_EveryShapeOfInput_GivesTheSameVectorOfLengthOne()
    {
        using HttpClient user = await UserAsync("shapes");
        int[] ids = [.. (await TokenizeAsync(user, "hello")).EnumerateArray().Select(id => id.GetInt32())];
        float[] expected = Assert.Single(await EmbedAsync(user, new { model = "m", input = "hello" }));
        Assert.Equal(1, expected.Sum(value => (double)value * value), 4);
        foreach (object input in (object[])[new[] { "hello" }, ids, new[] { ids }]) AssertClose(expected, Assert.Single(await EmbedAsync(user, new { model = "m", input })));
        float[][] many = await EmbedAsync(user, new { model = "shapes/m", input = new[] { "other", "hello", "other" } });
        Assert.Equal(3, many.Length);
        AssertClose(expected, many[1]);
        AssertClose(many[0], many[2]);
        Assert.NotEqual(many[0], many[1]);
    }

    [Fact]
    public async Task Embeddings_Base64_HoldsTheSameNumbers_AndUsageCountsEveryInput()
    {
        using HttpClient user = await UserAsync("base64");
        float[] expected = Assert.Single(await EmbedAsync(user, new { model = "m", input = "hello", encoding_format = "float" }));
        JsonElement answer = await AskAsync(user, new { model = "m", input = new[] { "hello", "hi" }, encoding_format = "base64", user = "someone", nonsense = 1 });
        byte[] bytes = answer.GetProperty("data")[0].GetProperty("embedding").GetBytesFromBase64();
        AssertClose(expected, [.. Enumerable.Range(0, bytes.Length / 4).Select(i => BitConverter.ToSingle(bytes, i * 4))]);
        Assert.Equal(("list", "embedding", 1), (answer.GetProperty("object").GetString(), answer.GetProperty("data")[1].GetProperty("object").GetString(), answer.GetProperty("data")[1].GetProperty("index").GetInt32()));
        int tokens = (await TokenizeAsync(user, "hello")).GetArrayLength() + (await TokenizeAsync(user, "hi")).GetArrayLength();
        Assert.Equal((tokens, tokens), (answer.GetProperty("usage").GetProperty("prompt_tokens").GetInt32(), answer.GetProperty("usage").GetProperty("total_tokens").GetInt32()));
        Assert.Equal("base64/m", answer.GetProperty("model").GetString());
    }

    [Theory]
    [InlineData("""{"model":"m"}""", "input")]
    [InlineData("""{"model":"m","input":[]}""", "input")]
    [InlineData("""{"model":"m","input":7}""", "input")]
    [InlineData("""{"model":"m","input":["a",7]}""", "input[1]")]
    [InlineData("""{"model":"m","input":[[]]}""", "input[0]")]
    [InlineData("""{"model":"m","input":[1.5]}""", "input")]
    [InlineData("""{"model":"m","input":[100000]}""", "input")]
    [InlineData("""{"model":"m","input":[-1]}""", "input")]
    [InlineData("""{"model":"m","input":"a","encoding_format":"int8"}""", "encoding_format")]
    [InlineData("""{"model":"m","input":"a","dimensions":4}""", "dimensions")]
    [InlineData("""{"input":"a"}""", "model")]
    [InlineData("""{"model":"m","input":"\ud800"}""", "input")]
    public async Task Embeddings_BadField_Is400NamingIt(string body, string parameter)
    {
        using HttpClient user = await UserAsync($"bad{Math.Abs(body.GetHashCode(StringComparison.Ordinal))}");
        JsonElement error = await RefusedAsync(user, "/v1/embeddings", body, HttpStatusCode.BadRequest);
        Assert.Equal(parameter, error.GetProperty("param").GetString());
    }

    [Fact]
    public async Task Embeddings_OverTheContext_Is400_AndTooManyInputsToo()
    {
        using HttpClient user = await UserAsync("long");
        string text = new('a', TinyModel.ContextLength + 1);
        JsonElement error = await RefusedAsync(user, "/v1/embeddings", JsonSerializer.Serialize(new { model = "m", input = new[] { "a", text } }), HttpStatusCode.BadRequest);
        Assert.Equal("context_length_exceeded", error.GetProperty("code").GetString());
        await RefusedAsync(user, "/v1/embeddings", JsonSerializer.Serialize(new { model = "m", input = Enumerable.Repeat("a", 2049) }), HttpStatusCode.BadRequest);
        Assert.Equal(300, (await EmbedAsync(user, new { model = "m", input = Enumerable.Repeat("a", 300) })).Length);
    }

    [Fact]
    public async Task Embeddings_OfAnothersModel_Is404()
    {
        using HttpClient owner = await UserAsync("eowner");
        using HttpClient other = await fixture.Host.CreateUserAsync("eother");
        JsonElement absent = await RefusedAsync(other, "/v1/embeddings", """{"model":"eowner/absent","input":"a"}""", HttpStatusCode.NotFound);
        JsonElement foreign = await RefusedAsync(other, "/v1/embeddings", """{"model":"eowner/m","input":"a"}""", HttpStatusCode.NotFound);
        Assert.Equal(absent.ToString(), foreign.ToString());
    }

    [Fact]
    public async Task Tokenize_Prompt_IsWhatAGenerationCounts_AndDetokenizeGivesItBack()
    {
        using HttpClient user = await UserAsync("tokens");
        JsonElement answer = await PostAsync(user, "/tokenize", new { model = "m", prompt = "hé", return_token_strs = true });
        int[] ids = [.. answer.GetProperty("tokens").EnumerateArray().Select(id => id.GetInt32())];
        Assert.Equal((4, 4, 4), (ids.Length, answer.GetProperty("count").GetInt32(), answer.GetProperty("token_strs").GetArrayLength())); // <s>, and a token a byte
        Assert.Equal("<s>", answer.GetProperty("token_strs")[0].GetString());
        Assert.Equal(TinyModel.ContextLength, answer.GetProperty("max_model_len").GetInt32());
        JsonElement completion = await PostAsync(user, "/v1/completions", new { model = "m", prompt = "hé", max_tokens = 1 });
        Assert.Equal(4, completion.GetProperty("usage").GetProperty("prompt_tokens").GetInt32());

        JsonElement bare = await PostAsync(user, "/tokenize", new { model = "m", prompt = "hé", add_special_tokens = false });
        Assert.Equal(ids[1..], bare.GetProperty("tokens").EnumerateArray().Select(id => id.GetInt32()));
        Assert.Equal(JsonValueKind.Null, bare.GetProperty("token_strs").ValueKind);
        Assert.Equal("hé", (await PostAsync(user, "/detokenize", new { model = "m", tokens = ids[1..] })).GetProperty("prompt").GetString());
        Assert.Equal("", (await PostAsync(user, "/detokenize", new { model = "m", tokens = Array.Empty<int>() })).GetProperty("prompt").GetString());
    }

    [Fact]
    public async Task Tokenize_Conversation_IsWhatAChatCounts()
    {
        using HttpClient user = await UserAsync("chat");
        object[] messages = [new { role = "user", content = "hi" }];
        JsonElement answer = await PostAsync(user, "/tokenize", new { model = "m", messages });
        JsonElement chat = await PostAsync(user, "/v1/chat/completions", new { model = "m", messages, max_tokens = 1 });
        Assert.Equal(chat.GetProperty("usage").GetProperty("prompt_tokens").GetInt32(), answer.GetProperty("count").GetInt32());
    }

    [Fact]
    public async Task Tokenize_Model_IsNotLoadedForIt()
    {
        using HttpClient user = await UserAsync("unloaded");
        int before = fixture.Host.Models.Snapshot().Models;
        await TokenizeAsync(user, "hello");
        await PostAsync(user, "/detokenize", new { model = "m", tokens = new[] { 5 } });
        Assert.Equal(before, fixture.Host.Models.Snapshot().Models);
    }

    [Theory]
    [InlineData("/tokenize", """{"model":"m"}""", "messages")]
    [InlineData("/tokenize", """{"model":"m","prompt":7}""", "prompt")]
    [InlineData("/tokenize", """{"model":"m","prompt":"a","tools":[{"type":"function"}]}""", "tools")]
    [InlineData("/tokenize", """{"model":"m","prompt":"a","add_special_tokens":1}""", "add_special_tokens")]
    [InlineData("/detokenize", """{"model":"m"}""", "tokens")]
    [InlineData("/detokenize", """{"model":"m","tokens":["a"]}""", "tokens")]
    [InlineData("/detokenize", """{"model":"m","tokens":[-1]}""", "tokens")]
    [InlineData("/detokenize", """{"model":"m","tokens":[259]}""", "tokens")]
    public async Task Tokenize_BadField_Is400NamingIt(string route, string body, string parameter)
    {
        using HttpClient user = await UserAsync($"tbad{Math.Abs((route + body).GetHashCode(StringComparison.Ordinal))}");
        JsonElement error = await RefusedAsync(user, route, body, HttpStatusCode.BadRequest);
        Assert.Equal(parameter, error.GetProperty("param").GetString());
    }

    [Fact]
    public async Task Completion_PromptSentTwice_TellsItsCachedTokens_ToItsCallerAlone()
    {
        using HttpClient user = await UserAsync("cached");
        object request = new { model = "m", prompt = new string('a', 50), max_tokens = 4, temperature = 0, cache_salt = "x" };
        JsonElement first = await PostAsync(user, "/v1/completions", request), second = await PostAsync(user, "/v1/completions", request);
        Assert.Equal((0, 48), (Cached(first), Cached(second)));
        Assert.Equal(first.GetProperty("choices")[0].GetProperty("text").GetString(), second.GetProperty("choices")[0].GetProperty("text").GetString());
        // What a client sends can't choose whose texts it meets: another salt changes nothing.
        Assert.Equal(48, Cached(await PostAsync(user, "/v1/completions", new { model = "m", prompt = new string('a', 50), max_tokens = 4, cache_salt = "y" })));

        static int Cached(JsonElement answer) => answer.GetProperty("usage").GetProperty("prompt_tokens_details").GetProperty("cached_tokens").GetInt32();
    }

    private async Task<HttpClient> UserAsync(string name)
    {
        HttpClient user = await fixture.Host.CreateUserAsync(name);
        await TestHost.PushAsync(user, "m");
        return user;
    }

    private static async Task<JsonElement> PostAsync(HttpClient user, string route, object request)
    {
        using HttpResponseMessage response = await user.PostAsJsonAsync(route, request);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
        return await TestHost.Json(response);
    }

    private static Task<JsonElement> AskAsync(HttpClient user, object request) => PostAsync(user, "/v1/embeddings", request);

    private static async Task<JsonElement> TokenizeAsync(HttpClient user, string prompt) => (await PostAsync(user, "/tokenize", new { model = "m", prompt })).GetProperty("tokens");

    private static async Task<float[][]> EmbedAsync(HttpClient user, object request) =>
        [.. (await AskAsync(user, request)).GetProperty("data").EnumerateArray().Select(entry => entry.GetProperty("embedding").EnumerateArray().Select(value => value.GetSingle()).ToArray())];

    private static async Task<JsonElement> RefusedAsync(HttpClient user, string route, string body, HttpStatusCode status)
    {
        using StringContent content = new(body, System.Text.Encoding.UTF8, "application/json");
        using HttpResponseMessage response = await user.PostAsync(route, content);
        Assert.Equal(status, response.StatusCode);
        return (await TestHost.Json(response)).GetProperty("error");
    }

    private static void AssertClose(float[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], actual[i], 1e-5f);
    }
}
