using System.Text;
using System.Text.Json.Nodes;
using TinyLlm.Tests;

namespace TinyLlm.Engine.Tests;

public sealed class DecoderConfigTests
{
    [Fact]
    public void Parse_Stories260K_ReadsEveryField()
    {
        DecoderConfig config = DecoderConfig.Parse(File.ReadAllBytes(TestData.Require("models/stories260K/config.json")));
        Assert.Equal("LlamaForCausalLM", config.Architecture);
        Assert.Equal((64, 172, 5, 8, 4, 8), (config.HiddenSize, config.IntermediateSize, config.LayerCount, config.HeadCount, config.KeyValueHeadCount, config.HeadSize));
        Assert.Equal((512, 512, 1e-5, 10000.0, true), (config.VocabularySize, config.ContextLength, config.NormEpsilon, config.RopeTheta, config.TiedEmbeddings));
        Assert.Equal([2], config.EndOfTextIds.AsEnumerable());
    }

    [Theory]
    [InlineData("hidden_size", null, ModelFormatError.MissingField)]
    [InlineData("num_hidden_layers", null, ModelFormatError.MissingField)]
    [InlineData("vocab_size", null, ModelFormatError.MissingField)]
    [InlineData("hidden_size", "\"16\"", ModelFormatError.BadField)]
    [InlineData("hidden_size", "16.5", ModelFormatError.BadField)]
    [InlineData("hidden_size", "1e400", ModelFormatError.BadField)]
    [InlineData("hidden_size", "[16]", ModelFormatError.BadField)]
    [InlineData("tie_word_embeddings", "1", ModelFormatError.BadField)]
    [InlineData("architectures", "\"LlamaForCausalLM\"", ModelFormatError.BadField)]
    [InlineData("rope_scaling", "8", ModelFormatError.BadField)]
    [InlineData("eos_token_id", "\"2\"", ModelFormatError.BadField)]
    [InlineData("hidden_size", "0", ModelFormatError.FieldOutOfRange)]
    [InlineData("hidden_size", "131073", ModelFormatError.FieldOutOfRange)]
    [InlineData("num_hidden_layers", "1025", ModelFormatError.FieldOutOfRange)]
    [InlineData("vocab_size", "9223372036854775807", ModelFormatError.FieldOutOfRange)]
    [InlineData("rms_norm_eps", "-1", ModelFormatError.FieldOutOfRange)]
    [InlineData("rope_theta", "1e400", ModelFormatError.FieldOutOfRange)]
    [InlineData("eos_token_id", "48", ModelFormatError.FieldOutOfRange)]
    [InlineData("eos_token_id", "[2, -1]", ModelFormatError.FieldOutOfRange)]
    [InlineData("num_key_value_heads", "3", ModelFormatError.FieldsDisagree)]
    [InlineData("head_dim", "5", ModelFormatError.FieldsDisagree)]
    [InlineData("num_attention_heads", "3", ModelFormatError.FieldsDisagree)]
    [InlineData("architectures", "[\"BertForMaskedLM\"]", ModelFormatError.UnknownArchitecture)]
    [InlineData("architectures", null, ModelFormatError.UnknownArchitecture)]
    [InlineData("hidden_act", "\"relu\"", ModelFormatError.UnsupportedField)]
    [InlineData("quantization_config", "{}", ModelFormatError.UnsupportedField)]
    [InlineData("partial_rotary_factor", "0.5", ModelFormatError.UnsupportedField)]
    [InlineData("rope_scaling", "{\"rope_type\": \"yarn\"}", ModelFormatError.UnsupportedField)]
    [InlineData("rope_interleaved", "true", ModelFormatError.UnsupportedField)]
    [InlineData("layer_types", "[\"sliding_attention\"]", ModelFormatError.UnsupportedField)]
    public void Parse_OneFieldChanged_NamesIt(string field, string? json, ModelFormatError error)
    {
        ModelFormatException thrown = Assert.Throws<ModelFormatException>(() => Parse("LlamaForCausalLM", (field, json)));
        Assert.Equal((error, "config.json", null), (thrown.Error, thrown.File, thrown.Tensor));
        string subject = field switch { "num_attention_heads" => "num_key_value_heads", "head_dim" => "head size", "rope_scaling" when error == ModelFormatError.UnsupportedField => "rope_scaling.rope_type", _ => field };
        Assert.Contains(subject, thrown.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("MistralForCausalLM", "sliding_window", "64", ModelFormatError.UnsupportedField)]
    [InlineData("Qwen2ForCausalLM", "use_sliding_window", "true", ModelFormatError.UnsupportedField)]
    [InlineData("Qwen3ForCausalLM", "head_dim", null, ModelFormatError.MissingField)]
    [InlineData("MistralForCausalLM", "num_key_value_heads", null, ModelFormatError.MissingField)]
    public void Parse_OtherArchitectures_RefuseWhatIsTheirs(string architecture, string field, string? json, ModelFormatError error)
    {
        ModelFormatException thrown = Assert.Throws<ModelFormatException>(() => Parse(architecture, (field, json)));
        Assert.Equal(error, thrown.Error);
        Assert.Contains(field, thrown.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{\"a\": 1, \"a\": 2}")]
    [InlineData("{\"a\": [[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]}")]
    [InlineData("{} {}")]
    public void Parse_NotAnObject_Throws(string json)
    {
        Assert.Equal(ModelFormatError.NotJson, Assert.Throws<ModelFormatException>(() => DecoderConfig.Parse(Encoding.UTF8.GetBytes(json))).Error);
    }

    [Fact]
    public void Parse_TooLarge_ThrowsBeforeReading() => Assert.Equal(
        ModelFormatError.FileTooLarge, Assert.Throws<ModelFormatException>(() => DecoderConfig.Parse(new byte[(4 << 20) + 1])).Error);

    [Fact]
    public void Parse_ForeignTextInMessages_IsEscapedAndCut()
    {
        string foreign = "x\u001b[31m\u202e" + new string('y', 500);
        ModelFormatException thrown = Assert.Throws<ModelFormatException>(
            () => Parse("LlamaForCausalLM", ("architectures", new JsonArray(foreign).ToJsonString())));
        Assert.DoesNotContain('\u001b', thrown.Message);
        Assert.DoesNotContain('\u202e', thrown.Message);
        Assert.InRange(thrown.Message.Length, 100, 400);
    }

    [Fact]
    public void Parse_NewAndOldRopeFields_MeanTheSame()
    {
        const string parameters = "\"factor\": 32, \"low_freq_factor\": 1, \"high_freq_factor\": 4, \"original_max_position_embeddings\": 64";
        DecoderConfig old = Parse("LlamaForCausalLM", ("rope_theta", "500000.0"), ("rope_scaling", $"{{\"type\": \"llama3\", {parameters}}}"));
        DecoderConfig recent = Parse(
            "LlamaForCausalLM", ("rope_theta", null), ("rope_parameters", $"{{\"rope_type\": \"llama3\", \"rope_theta\": 500000.0, {parameters}}}"));
        Assert.Equal(new RopeOptions(500000, RopeScaling.Llama3, 32, 1, 4, 64), old.Rope);
        Assert.Equal(old.Rope, recent.Rope);
    }

    [Fact]
    public void WithGenerationConfig_EndIds_ReplaceTheConfigs()
    {
        DecoderConfig config = Parse("LlamaForCausalLM");
        Assert.Equal([3, 4], config.WithGenerationConfig("{\"eos_token_id\": [3, 4]}"u8).EndOfTextIds.AsEnumerable());
        Assert.Equal([2], config.WithGenerationConfig("{\"eos_token_id\": null}"u8).EndOfTextIds.AsEnumerable());
        ModelFormatException thrown = Assert.Throws<ModelFormatException>(() => config.WithGenerationConfig("{\"eos_token_id\": 99}"u8));
        Assert.Equal((ModelFormatError.FieldOutOfRange, "generation_config.json"), (thrown.Error, thrown.File));
    }

    private static DecoderConfig Parse(string architecture, params (string Field, string? Json)[] changes)
    {
        using TinyCheckpoint tiny = new(architecture);
        string json = tiny.Config.ToJsonString();
        foreach ((string field, string? value) in changes)
        {
            tiny.Config.Remove(field);
            if (field == "num_attention_heads") tiny.Config.Remove("head_dim");
            json = tiny.Config.ToJsonString();
            // Spliced in as text: some values (1e400) are JSON that no number type holds.
            if (value is not null) json = $"{{\"{field}\": {value}, {json[1..]}";
            if (value is not null && changes.Length > 1) tiny.Config[field] = JsonNode.Parse(value);
        }
        return DecoderConfig.Parse(Encoding.UTF8.GetBytes(changes.Length > 1 ? tiny.Config.ToJsonString() : json));
    }
}
