using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace TinyLlm.Host.Tests.OpenAi;

/// <summary>The generating routes over HTTP, on a tiny model of the project's own.</summary>
public sealed class CompletionTests(TestHostFixture fixture) : IClassFixture<TestHostFixture>
{
    [Fact]
    public async Task Completion_StreamedAndWhole_SayTheSame()
    {
        using HttpClient user = await UserWithModelAsync("same");
        object request = new { model = "m", prompt = "hello", max_tokens = 24, temperature = 0, return_token_ids = true };
        JsonElement whole = await TestHost.Json(await user.PostAsJsonAsync("/v1/completions", request));
        string streamed = await (await user.PostAsJsonAsync(
            "/v1/completions", new { model = "m", prompt = "hello", max_tokens = 24, temperature = 0, return_token_ids = true, stream = true }))
            .Content.ReadAsStringAsync();

        JsonElement[] chunks = Events(streamed, out bool done);
        Assert.True(done);
        JsonElement choice = whole.GetProperty("choices")[0];
        Assert.Equal(
            choice.GetProperty("text").GetString(), string.Concat(chunks.Select(chunk => chunk.GetProperty("choices")[0].GetProperty("text").GetString())));
        int[] ids = [.. choice.GetProperty("token_ids").EnumerateArray().Select(id => id.GetInt32())];
        Assert.Equal(ids, chunks.SelectMany(chunk => chunk.GetProperty("choices")[0].GetProperty("token_ids").EnumerateArray()).Select(id => id.GetInt32()));
        Assert.Equal(whole.GetProperty("usage").GetProperty("completion_tokens").GetInt32(), ids.Length);
        Assert.NotEmpty(ids);
    }

    [Fact]
    public async Task Completion_SameSeed_SaysTheSame_AndAnotherSeedDoesNot()
    {
        using HttpClient user = await UserWithModelAsync("seeds");
        async Task<string> Say(int seed) => (await TestHost.Json(await user.PostAsJsonAsync(
            "/v1/completions", new { model = "m", prompt = "hello", max_tokens = 32, seed }))).GetProperty("choices")[0].GetProperty("text").GetString()!;
        Assert.Equal(await Say(1), await Say(1));
        Assert.NotEqual(await Say(1), await Say(2));
    }

    [Fact]
    public async Task Chat_IncludeUsage_EndsWithAUsageChunk()
    {
        using HttpClient user = await UserWithModelAsync("usage");
        string body = await (await user.PostAsJsonAsync("/v1/chat/completions", new
        {
            model = "usage/m@1",
            messages = new[] { new { role = "user", content = "hi" } },
            max_tokens = 5,
            temperature = 0,
            stream = true,
            stream_options = new { include_usage = true },
        })).Content.ReadAsStringAsync();
        JsonElement[] chunks = Events(body, out bool done);
        Assert.True(done);
        Assert.Equal("assistant", chunks[0].GetProperty("choices")[0].GetProperty("delta").GetProperty("role").GetString());
        Assert.Equal(0, chunks[^1].GetProperty("choices").GetArrayLength());
        JsonElement usage = chunks[^1].GetProperty("usage");
        Assert.Equal(
            usage.GetProperty("total_tokens").GetInt32(), usage.GetProperty("prompt_tokens").GetInt32() + usage.GetProperty("completion_tokens").GetInt32());
        Assert.All(chunks[..^1], chunk => Assert.Equal(JsonValueKind.Null, chunk.GetProperty("usage").ValueKind));
    }

    [Fact]
    public async Task Completion_UnknownField_IsNamedInTheHeader()
    {
        using HttpClient user = await UserWithModelAsync("ignored");
        using HttpResponseMessage response = await user.PostAsJsonAsync("/v1/completions", new { model = "m", prompt = "a", max_tokens = 1, frobnicate = 1 });
        Assert.Equal("frobnicate", response.Headers.GetValues("tinyllm-ignored-fields").Single());
    }

    [Theory]
    [InlineData("""{"model":"m","prompt":"a","max_tokens":300}""", "context_length_exceeded", "max_tokens")]
    [InlineData("""{"model":"m","prompt":[1,99999],"max_tokens":1}""", "invalid_request", "prompt")]
    [InlineData("""{"model":"m","prompt":[],"max_tokens":1}""", "invalid_request", "prompt")]
    [InlineData("""{"model":"m","prompt":["a","b"]}""", "invalid_request", "prompt")]
    [InlineData("""{"model":"m","prompt":{}}""", "invalid_request", "prompt")]
    [InlineData("""{"model":"m","model":"m","prompt":"a"}""", "invalid_request", null)]
    [InlineData("""{"model":"m","prompt":"a" """, "invalid_request", null)]
    [InlineData("""[1]""", "invalid_request", null)]
    public async Task Completion_BadRequest_Is400InOpenAisShape(string body, string code, string? parameter)
    {
        using HttpClient user = await UserWithModelAsync($"bad{Guid.NewGuid():N}");
        using HttpResponseMessage response = await user.PostAsync("/v1/completions", new StringContent(body, Encoding.UTF8, "application/json"));
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        JsonElement error = (await TestHost.Json(response)).GetProperty("error");
        Assert.Equal(code, error.GetProperty("code").GetString());
        Assert.Equal(parameter, error.GetProperty("param").GetString());
        Assert.Equal("invalid_request_error", error.GetProperty("type").GetString());
        Assert.DoesNotContain("Exception", error.GetRawText(), StringComparison.Ordinal);
        Assert.DoesNotContain("System.", error.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Completion_OtherMediaTypeOrCoding_Is415()
    {
        using HttpClient user = await UserWithModelAsync("media");
        using HttpResponseMessage text = await user.PostAsync("/v1/completions", new StringContent("{}", Encoding.UTF8, "text/plain"));
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, text.StatusCode);
        using StringContent coded = new("{}", Encoding.UTF8, "application/json");
        coded.Headers.ContentEncoding.Add("gzip");
        using HttpResponseMessage gzip = await user.PostAsync("/v1/completions", coded);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, gzip.StatusCode);
    }

    [Fact]
    public async Task Completion_BodyOverItsBound_Is413()
    {
        using HttpClient user = await UserWithModelAsync("large");
        using HttpResponseMessage response = await user.PostAsJsonAsync("/v1/completions", new { model = "m", prompt = new string('a', 5 << 20) });
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
    }

    private async Task<HttpClient> UserWithModelAsync(string name)
    {
        HttpClient user = await fixture.Host.CreateUserAsync(name);
        await TestHost.PushAsync(user, "m");
        return user;
    }

    private static JsonElement[] Events(string body, out bool done)
    {
        string[] data = [.. body.Split("\n\n", StringSplitOptions.RemoveEmptyEntries).Where(item => item.StartsWith("data: ", StringComparison.Ordinal)).Select(item => item[6..])];
        done = data[^1] == "[DONE]";
        return [.. data.Where(item => item != "[DONE]").Select(item => JsonDocument.Parse(item).RootElement)];
    }
}
