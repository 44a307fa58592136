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
    [InlineData("""{"model":"m","n":1,"logprobs":false,"presence_penalty":0,"frequency_penalty":0,"repetition_penalty":1,"min_p":0,"min_tokens":0,"best_of":1,"logit_bias":{},"echo":false,"suffix":""}""")]
    [InlineData("""{"model":"m","stop_token_ids":[],"logit_bias":[],"stop":[],"response_format":{},"skip_special_tokens":true,"top_logprobs":0,"chat_template_kwargs":{}}""")]
    [InlineData("""{"model":"m","response_format":{"type":"text"}}""")]
    public void Read_UnsupportedFieldWithItsDefault_CountsAsAbsent(string body)
    {
        Read(body, out IReadOnlyList<string> ignored);
        Assert.Empty(ignored);
    }

    [Theory]
    [InlineData("""{"model":"m","tools":[{"type":"function"}]}""", "tools")]
    [InlineData("""{"model":"m","n":33}""", "n")]
    [InlineData("""{"model":"m","n":0}""", "n")]
    [InlineData("""{"model":"m","n":-1}""", "n")]
    [InlineData("""{"model":"m","best_of":3}""", "best_of")]
    [InlineData("""{"model":"m","n":1000000000}""", "n")]
    [InlineData("""{"model":"m","logprobs":true}""", "logprobs")]
    [InlineData("""{"model":"m","logprobs":21}""", "logprobs")]
    [InlineData("""{"model":"m","logprobs":-1}""", "logprobs")]
    [InlineData("""{"model":"m","top_logprobs":2}""", "top_logprobs")]
    [InlineData("""{"model":"m","logit_bias":{"5":101}}""", "logit_bias")]
    [InlineData("""{"model":"m","logit_bias":{"5":-100.5}}""", "logit_bias")]
    [InlineData("""{"model":"m","logit_bias":{"-5":1}}""", "logit_bias")]
    [InlineData("""{"model":"m","logit_bias":{"x":1}}""", "logit_bias")]
    [InlineData("""{"model":"m","logit_bias":{"05":1,"5":1}}""", "logit_bias")]
    [InlineData("""{"model":"m","logit_bias":[1]}""", "logit_bias")]
    [InlineData("""{"model":"m","presence_penalty":2.5}""", "presence_penalty")]
    [InlineData("""{"model":"m","presence_penalty":"NaN"}""", "presence_penalty")]
    [InlineData("""{"model":"m","frequency_penalty":-2.1}""", "frequency_penalty")]
    [InlineData("""{"model":"m","repetition_penalty":0}""", "repetition_penalty")]
    [InlineData("""{"model":"m","repetition_penalty":11}""", "repetition_penalty")]
    [InlineData("""{"model":"m","min_p":1.5}""", "min_p")]
    [InlineData("""{"model":"m","min_tokens":-1}""", "min_tokens")]
    [InlineData("""{"model":"m","stop_token_ids":[-1]}""", "stop_token_ids")]
    [InlineData("""{"model":"m","stop_token_ids":5}""", "stop_token_ids")]
    [InlineData("""{"model":"m","chat_template_kwargs":{"a":1}}""", "chat_template_kwargs")]
    [InlineData("""{"model":"m","guided_regex":"a"}""", "guided_regex")]
    [InlineData("""{"model":"m","skip_special_tokens":false}""", "skip_special_tokens")]
    [InlineData("""{"model":"m","modalities":["audio"]}""", "modalities")]
    [InlineData("""{"model":"m","response_format":{"type":"xml"}}""", "response_format")]
    [InlineData("""{"model":"m","response_format":{"type":"json_schema"}}""", "response_format")]
    [InlineData("""{"model":"m","response_format":{"type":"json_schema","json_schema":{"schema":{}}}}""", "response_format")]
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
    public void Read_SamplingFields_AreTaken()
    {
        GenerationFields read = Read(
            """{"model":"m","n":3,"min_p":0.1,"presence_penalty":-1,"frequency_penalty":0.5,"repetition_penalty":1.2,"logit_bias":{"7":-100,"3":2.5},"logprobs":2,"echo":true,"max_tokens":0,"stop_token_ids":[4],"ignore_eos":true,"min_tokens":6,"response_format":{"type":"json_object"}}""",
            out _);
        Assert.Equal((3, 0.1, -1.0, 0.5, 1.2), (read.Request.Choices, read.Request.MinP, read.Request.PresencePenalty, read.Request.FrequencyPenalty, read.Request.RepetitionPenalty));
        Assert.Equal([(3, 2.5), (7, -100.0)], read.Request.LogitBias.Select(bias => (bias.Token, bias.Bias)));
        Assert.Equal(((int?)2, true, (int?)0, true, 6), (read.Request.TopLogprobs, read.Request.Echo, read.Request.MaxTokens, read.Request.IgnoreEndOfText, read.Request.MinTokens));
        Assert.Equal([4], read.Request.StopIds);
        Assert.Equal("""{"type":"object"}""", read.Request.JsonSchema);
    }

    [Fact]
    public void Read_ChatFields_AreTaken()
    {
        GenerationFields read = GenerationFields.Read(
            Fields("""{"model":"m","logprobs":true,"top_logprobs":5,"chat_template_kwargs":{"enable_thinking":false},"response_format":{"type":"json_schema","json_schema":{"name":"x","strict":true,"schema":{"type":"array"}}}}"""),
            AnswerKind.Chat, out IReadOnlyList<string> ignored);
        Assert.Empty(ignored);
        Assert.Equal(((int?)5, (int?)null), (read.Request.TopLogprobs, read.Request.MaxTokens));
        Assert.Equal("""{"enable_thinking":false}""", read.Request.TemplateVariables);
        Assert.Equal("""{"type":"array"}""", read.Request.JsonSchema);
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

    private static GenerationFields Read(string body, out IReadOnlyList<string> ignored) => GenerationFields.Read(Fields(body), AnswerKind.Text, out ignored);
}
