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
        Assert.Equal((512, 512, 1e-5, 10000.0, true), (config.VocabularySize, config.ContextLength, config.NormEpsilon, config.Layers[0].Rope?.Theta, config.Output == OutputMatrix.Embedding));
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
    [InlineData("hidden_act", "\"mish\"", ModelFormatError.UnsupportedField)]
    [InlineData("quantization_config", "{}", ModelFormatError.UnsupportedField)]
    [InlineData("partial_rotary_factor", "0.5", ModelFormatError.UnsupportedField)]
    [InlineData("rope_scaling", "{\"rope_type\": \"mrope\"}", ModelFormatError.UnsupportedField)]
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
    [InlineData("Qwen3ForCausalLM", "head_dim", null, ModelFormatError.MissingField)]
    [InlineData("MistralForCausalLM", "num_key_value_heads", null, ModelFormatError.MissingField)]
    [InlineData("MistralForCausalLM", "layer_types", "[\"sliding_attention\"]", ModelFormatError.UnsupportedField)]
    [InlineData("MistralForCausalLM", "sliding_window", "0", ModelFormatError.FieldOutOfRange)]
    [InlineData("Qwen2ForCausalLM", "layer_types", "[\"sliding_attention\", \"full_attention\"]", ModelFormatError.UnsupportedField)]
    [InlineData("Qwen2ForCausalLM", "partial_rotary_factor", "0.5", ModelFormatError.UnsupportedField)]
    [InlineData("Phi3ForCausalLM", "partial_rotary_factor", "0.2", ModelFormatError.FieldsDisagree)]
    [InlineData("Phi3ForCausalLM", "rope_scaling", "{\"type\": \"longrope\", \"original_max_position_embeddings\": 64, \"short_factor\": [1], \"long_factor\": [1]}", ModelFormatError.BadField)]
    [InlineData("Phi3ForCausalLM", "rope_scaling", "{\"type\": \"longrope\", \"original_max_position_embeddings\": 64, \"short_factor\": [1, 0]}", ModelFormatError.FieldOutOfRange)]
    [InlineData("LlamaForCausalLM", "rope_scaling", "{\"type\": \"dynamic\"}", ModelFormatError.MissingField)]
    [InlineData("LlamaForCausalLM", "rope_scaling", "{\"type\": \"yarn\", \"factor\": 2, \"beta_fast\": 1, \"beta_slow\": 2}", ModelFormatError.FieldsDisagree)]
    [InlineData("Gemma3ForCausalLM", "layer_types", "[\"full_attention\"]", ModelFormatError.FieldsDisagree)]
    [InlineData("Gemma3ForCausalLM", "layer_types", "[\"full_attention\", \"chunked_attention\", \"full_attention\"]", ModelFormatError.UnsupportedField)]
    [InlineData("Gemma3ForCausalLM", "use_bidirectional_attention", "true", ModelFormatError.UnsupportedField)]
    [InlineData("Gemma3ForCausalLM", "hidden_activation", "\"xielu\"", ModelFormatError.UnsupportedField)]
    [InlineData("GPT2LMHeadModel", "n_embd", null, ModelFormatError.MissingField)]
    [InlineData("GPT2LMHeadModel", "n_head", "3", ModelFormatError.FieldsDisagree)]
    [InlineData("GPT2LMHeadModel", "activation_function", "\"quick\"", ModelFormatError.UnsupportedField)]
    [InlineData("GPT2LMHeadModel", "add_cross_attention", "true", ModelFormatError.UnsupportedField)]
    [InlineData("GPTNeoForCausalLM", "attention_types", null, ModelFormatError.MissingField)]
    [InlineData("GPTNeoForCausalLM", "attention_types", "[[[\"global\", \"local\"], 2]]", ModelFormatError.FieldsDisagree)]
    [InlineData("GPTNeoForCausalLM", "attention_types", "[[[\"global\", \"strided\"], 1]]", ModelFormatError.UnsupportedField)]
    [InlineData("GPTNeoForCausalLM", "attention_types", "[[[\"global\"], 9000000000]]", ModelFormatError.FieldsDisagree)]
    [InlineData("GPTNeoForCausalLM", "attention_types", "[[\"global\", 2]]", ModelFormatError.BadField)]
    [InlineData("GPTNeoXForCausalLM", "rotary_pct", "0.1", ModelFormatError.FieldsDisagree)]
    [InlineData("GPTNeoXForCausalLM", "rotary_pct", "1.5", ModelFormatError.FieldOutOfRange)]
    [InlineData("GPTNeoXForCausalLM", "rope_scaling", "{\"type\": \"ntk\"}", ModelFormatError.UnsupportedField)]
    [InlineData("OPTForCausalLM", "ffn_dim", null, ModelFormatError.MissingField)]
    [InlineData("OPTForCausalLM", "layer_norm_elementwise_affine", "false", ModelFormatError.UnsupportedField)]
    [InlineData("TinyLlmNGramForCausalLM", "vocab_size", "1000000", ModelFormatError.FieldOutOfRange)]
    [InlineData("TinyLlmBigramForCausalLM", "hidden_size", null, ModelFormatError.MissingField)]
    public void Parse_OtherArchitectures_RefuseWhatIsTheirs(string architecture, string field, string? json, ModelFormatError error)
    {
        ModelFormatException thrown = Assert.Throws<ModelFormatException>(() => Parse(architecture, (field, json)));
        Assert.Equal(error, thrown.Error);
        string subject = field switch
        {
            "partial_rotary_factor" or "rotary_pct" when error == ModelFormatError.FieldsDisagree => "turns",
            "rope_scaling" when json is not null => json.Contains("longrope", StringComparison.Ordinal) ? "short_factor" : "rope_scaling",
            _ => field,
        };
        Assert.Contains(subject, thrown.Message, StringComparison.Ordinal);
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
        Assert.InRange(thrown.Message.Length, 100, 500);
    }

    [Fact]
    public void Parse_UnknownArchitecture_NamesTheKnown()
    {
        ModelFormatException thrown = Assert.Throws<ModelFormatException>(() => Parse("LlamaForCausalLM", ("architectures", "[\"BertForMaskedLM\"]")));
        Assert.All(TinyShapes.Architectures, architecture => Assert.Contains(architecture, thrown.Message, StringComparison.Ordinal));
    }

    /// <summary>What the rotation is made for bounds the sequences, not what the file declares alone.</summary>
    [Theory]
    [InlineData("{\"type\": \"linear\", \"factor\": 4}", 128)]
    [InlineData("{\"type\": \"dynamic\", \"factor\": 4}", 512)]
    [InlineData("{\"type\": \"yarn\", \"factor\": 4}", 512)]
    [InlineData("{\"type\": \"yarn\", \"factor\": 4, \"original_max_position_embeddings\": 16}", 128)]
    [InlineData("{\"type\": \"longrope\", \"original_max_position_embeddings\": 64, \"short_factor\": [1, 1]}", 64)]
    public void Parse_RopeScaling_SetsTheContext(string scaling, int context) =>
        Assert.Equal(context, Parse("LlamaForCausalLM", ("rope_scaling", scaling)).ContextLength);

    [Fact]
    public void Parse_NewAndOldRopeFields_MeanTheSame()
    {
        const string parameters = "\"factor\": 32, \"low_freq_factor\": 1, \"high_freq_factor\": 4, \"original_max_position_embeddings\": 64";
        DecoderConfig old = Parse("LlamaForCausalLM", ("rope_theta", "500000.0"), ("rope_scaling", $"{{\"type\": \"llama3\", {parameters}}}"));
        DecoderConfig recent = Parse(
            "LlamaForCausalLM", ("rope_theta", null), ("rope_parameters", $"{{\"rope_type\": \"llama3\", \"rope_theta\": 500000.0, {parameters}}}"));
        RopeOptions expected = new(500000, 4) { Scaling = RopeScaling.Llama3, Factor = 32, LowFrequencyFactor = 1, HighFrequencyFactor = 4, OriginalContextLength = 64 };
        Assert.All(old.Layers.Concat(recent.Layers), layer => Assert.Equal(expected, layer.Rope));
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
