using System.Text.Json;
using TinyLlm.Grains.Errors;
using TinyLlm.Host.OpenAi;

namespace TinyLlm.Host.Tests.OpenAi;

public sealed class GenerationFieldsTests
{
    [Fact]
    public void Read_ModelAlone_GivesTheWiresDefaults()
    {
        GenerationFields read = Read("""{"model":"m"}""", out IReadOnlyList<string> ignored);
        Assert.Equal(("m", false, false, false), (read.Model, read.Stream, read.IncludeUsage, read.ReturnTokenIds));
        Assert.Equal((1.0, 1.0, 0, (int?)16), (read.Request.Temperature, read.Request.TopP, read.Request.TopK, read.Request.MaxTokens));
        Assert.Empty(read.Request.Stop);
        Assert.Empty(ignored);
    }

    [Fact]
    public void Read_NullEverywhere_CountsAsAbsent()
    {
        GenerationFields read = Read(
            """{"model":"m","temperature":null,"top_p":null,"stop":null,"seed":null,"stream":null,"stream_options":null,"tools":null,"max_tokens":null}""", out _);
        Assert.Equal((1.0, (int?)16), (read.Request.Temperature, read.Request.MaxTokens));
    }

    [Fact]
    public void Read_MaxCompletionTokens_WinsOverTheOlderName() =>
        Assert.Equal(7, Read("""{"model":"m","max_tokens":5,"max_completion_tokens":7}""", out _).Request.MaxTokens);

    [Fact]
    public void Read_Seed_IsKept_AndWithoutOneTwoDiffer()
    {
        Assert.Equal(Read("""{"model":"m","seed":-3}""", out _).Request.Seed, Read("""{"model":"m","seed":-3}""", out _).Request.Seed);
        Assert.NotEqual(Read("""{"model":"m"}""", out _).Request.Seed, Read("""{"model":"m"}""", out _).Request.Seed);
    }

    [Theory]
    [InlineData("""{"model":"m","tools":[]}""")]
    [InlineData("""{"model":"m","n":1,"logprobs":false,"presence_penalty":0,"logit_bias":{},"echo":false,"suffix":""}""")]
    [InlineData("""{"model":"m","response_format":{"type":"text"}}""")]
    public void Read_UnsupportedFieldWithItsDefault_CountsAsAbsent(string body)
    {
        Read(body, out IReadOnlyList<string> ignored);
        Assert.Empty(ignored);
    }

    [Theory]
    [InlineData("""{"model":"m","tools":[{"type":"function"}]}""", "tools")]
    [InlineData("""{"model":"m","n":2}""", "n")]
    [InlineData("""{"model":"m","n":1000000000}""", "n")]
    [InlineData("""{"model":"m","logprobs":true}""", "logprobs")]
    [InlineData("""{"model":"m","logit_bias":{"5":1}}""", "logit_bias")]
    [InlineData("""{"model":"m","presence_penalty":0.5}""", "presence_penalty")]
    [InlineData("""{"model":"m","modalities":["audio"]}""", "modalities")]
    [InlineData("""{"model":"m","response_format":{"type":"json_object"}}""", "response_format")]
    [InlineData("""{"model":"m","max_tokens":-1}""", "max_tokens")]
    [InlineData("""{"model":"m","max_tokens":0}""", "max_tokens")]
    [InlineData("""{"model":"m","max_tokens":1e99}""", "max_tokens")]
    [InlineData("""{"model":"m","max_tokens":1.5}""", "max_tokens")]
    [InlineData("""{"model":"m","temperature":-0.1}""", "temperature")]
    [InlineData("""{"model":"m","temperature":2.1}""", "temperature")]
    [InlineData("""{"model":"m","temperature":"NaN"}""", "temperature")]
    [InlineData("""{"model":"m","top_p":0}""", "top_p")]
    [InlineData("""{"model":"m","top_p":1.1}""", "top_p")]
    [InlineData("""{"model":"m","top_k":-2}""", "top_k")]
    [InlineData("""{"model":"m","seed":1.5}""", "seed")]
    [InlineData("""{"model":"m","stop":[""]}""", "stop")]
    [InlineData("""{"model":"m","stop":7}""", "stop")]
    [InlineData("""{"model":"m","stop":["\ud800"]}""", "stop")]
    [InlineData("""{"model":"m","stream":"yes"}""", "stream")]
    [InlineData("""{"model":"m","stream_options":{"include_usage":true}}""", "stream_options")]
    [InlineData("""{"model":7}""", "model")]
    [InlineData("""{}""", "model")]
    public void Read_FieldOutOfItsBound_IsRefusedByName(string body, string field)
    {
        RequestException refusal = Assert.Throws<RequestException>(() => Read(body, out _));
        Assert.Equal(RequestError.Malformed, refusal.Error);
        Assert.Equal(field, refusal.Parameter);
        Assert.StartsWith(field + ":", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_UnknownFields_AreNamedAndNothingElse()
    {
        Read("""{"model":"m","user":"u","store":false,"metadata":{},"top_k":-1}""", out IReadOnlyList<string> ignored);
        Assert.Equal(["metadata", "store", "user"], ignored.Order());
    }

    [Fact]
    public void ReadMessages_TextParts_AreJoined()
    {
        var messages = ChatFields.ReadMessages(Fields(
            """{"messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},{"role":"assistant","content":"c"}]}"""));
        Assert.Equal([("user", "ab"), ("assistant", "c")], messages.Select(message => (message.Role, message.Content)));
    }

    [Theory]
    [InlineData("""{}""", "messages")]
    [InlineData("""{"messages":[]}""", "messages")]
    [InlineData("""{"messages":[{"content":"a"}]}""", "messages[0].role")]
    [InlineData("""{"messages":[{"role":"user"}]}""", "messages[0].content")]
    [InlineData("""{"messages":[{"role":"user","content":"a"},7]}""", "messages[1]")]
    [InlineData("""{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"file:///etc/passwd"}}]}]}""", "messages[0].content[0]")]
    [InlineData("""{"messages":[{"role":"assistant","content":"","tool_calls":[{"id":"x"}]}]}""", "messages[0].tool_calls")]
    public void ReadMessages_Malformed_IsRefusedByPlace(string body, string place) =>
        Assert.Equal(place, Assert.Throws<RequestException>(() => ChatFields.ReadMessages(Fields(body))).Parameter);

    private static RequestFields Fields(string body) => new(JsonDocument.Parse(body).RootElement);

    private static GenerationFields Read(string body, out IReadOnlyList<string> ignored) => GenerationFields.Read(Fields(body), 16, out ignored);
}
