using System.Collections.Immutable;

namespace TinyLlm.Engine;

/// <summary>
/// Turns config.json into a <see cref="DecoderConfig"/>. Each architecture's defaults are those of its Hugging Face configuration class; a field
/// that would change the result and is not implemented is an error, never ignored.
/// </summary>
internal static class DecoderConfigReader
{
    private const string FileName = "config.json";

    // Bounds: each some ten times beyond the largest released model of these architectures, so that sizes derived from them fit 64 bits.
    private const int MaxWidth = 1 << 17, MaxIntermediate = 1 << 20, MaxLayers = 1024, MaxHeads = 1024, MaxHeadSize = 1024;
    private const int MaxVocabulary = 1 << 21, MaxContext = 1 << 24;

    private static readonly ImmutableArray<string> Known = ["LlamaForCausalLM", "MistralForCausalLM", "Qwen2ForCausalLM", "Qwen3ForCausalLM"];

    public static DecoderConfig Read(ReadOnlySpan<byte> json)
    {
        using ConfigFile file = ConfigFile.Parse(FileName, json);

        // 1. Which architecture.
        ImmutableArray<string> named = file.Texts("architectures");
        string architecture = named.FirstOrDefault(Known.Contains) ?? throw new ModelFormatException(
            ModelFormatError.UnknownArchitecture,
            FileName,
            $"{FileName}: architectures is {ForeignText.Quote(string.Join(", ", named))}, and the engine knows {string.Join(", ", Known)}");

        // 2. Sizes.
        int hidden = file.Int("hidden_size", 1, MaxWidth), heads = file.Int("num_attention_heads", 1, MaxHeads);
        int keyValueHeads = file.Int("num_key_value_heads", 1, MaxHeads, absent: architecture == "LlamaForCausalLM" ? heads : null);
        if (heads % keyValueHeads != 0)
            throw file.Disagree($"num_attention_heads is {heads} and num_key_value_heads {keyValueHeads}: the second must divide the first");
        if (architecture == "Qwen3ForCausalLM" && !file.Has("head_dim")) file.Int("head_dim", 2, MaxHeadSize);
        if (!file.Has("head_dim") && hidden % heads != 0)
            throw file.Disagree($"hidden_size is {hidden} and num_attention_heads {heads}: without head_dim the second must divide the first");
        int headSize = file.Int("head_dim", 2, MaxHeadSize, absent: hidden / heads);
        if (headSize % 2 != 0) throw file.Disagree($"the head size is {headSize}, and must be even: rotary positions turn pairs");
        int vocabulary = file.Int("vocab_size", 1, MaxVocabulary), context = file.Int("max_position_embeddings", 1, MaxContext);

        // 3. What would change the result and is not implemented.
        RefuseUnsupported(file, architecture, context);

        // 4. The rest.
        bool hasBias = architecture is "LlamaForCausalLM" or "Qwen3ForCausalLM" && file.Bool("attention_bias", false);
        return new DecoderConfig
        {
            Architecture = architecture,
            HiddenSize = hidden,
            IntermediateSize = file.Int("intermediate_size", 1, MaxIntermediate),
            LayerCount = file.Int("num_hidden_layers", 1, MaxLayers),
            HeadCount = heads,
            KeyValueHeadCount = keyValueHeads,
            HeadSize = headSize,
            VocabularySize = vocabulary,
            ContextLength = context,
            NormEpsilon = file.Number("rms_norm_eps", 1e-12, 1, absent: 1e-6),
            Rope = ReadRope(file),
            TiedEmbeddings = file.Bool("tie_word_embeddings", false),
            HasQueryKeyValueBias = hasBias || architecture == "Qwen2ForCausalLM",
            HasAttentionOutputBias = hasBias,
            HasMlpBias = architecture == "LlamaForCausalLM" && file.Bool("mlp_bias", false),
            HasQueryKeyNorm = architecture == "Qwen3ForCausalLM",
            EndOfTextIds = file.Ids("eos_token_id", vocabulary),
        };
    }

    private static void RefuseUnsupported(ConfigFile file, string architecture, int context)
    {
        if (file.Text("hidden_act") is not (null or "silu" or "swish")) throw file.Unsupported("hidden_act", "silu");
        if (file.Has("quantization_config")) throw file.Unsupported("quantization_config", "F32, F16 and BF16 weights");
        if (file.Number("partial_rotary_factor", 0, 1, absent: 1) != 1) throw file.Unsupported("partial_rotary_factor", "1");
        if (file.Bool("rope_interleaved", false)) throw file.Unsupported("rope_interleaved", "false");
        if (architecture.StartsWith("Qwen", StringComparison.Ordinal) && file.Bool("use_sliding_window", false))
            throw file.Unsupported("use_sliding_window", "false");
        if (architecture == "MistralForCausalLM" && !file.IsNull("sliding_window") && file.Int("sliding_window", 1, int.MaxValue, absent: 4096) < context)
            throw file.Unsupported("sliding_window", $"null, and windows of at least max_position_embeddings ({context})");
        if (file.Texts("layer_types").Any(type => type != "full_attention")) throw file.Unsupported("layer_types", "full_attention");
    }

    /// <summary>transformers 5 writes rope_parameters; before it, rope_theta and rope_scaling, with rope_type once called type.</summary>
    private static RopeOptions ReadRope(ConfigFile file)
    {
        ConfigFile? parameters = file.Object("rope_parameters"), scaling = parameters ?? file.Object("rope_scaling");
        ConfigFile owner = parameters is not null && parameters.Has("rope_theta") ? parameters : file;
        double theta = owner.Number("rope_theta", 1, 1e12, absent: 10000);
        if (scaling is null) return new RopeOptions(theta);
        string field = scaling.Has("rope_type") ? "rope_type" : "type";
        return scaling.Text(field) switch
        {
            null or "default" => new RopeOptions(theta),
            "linear" => new RopeOptions(theta, RopeScaling.Linear, scaling.Number("factor", 1, 1e6)),
            "llama3" => ReadLlama3(file, scaling, theta),
            _ => throw scaling.Unsupported(field, "default, linear and llama3"),
        };
    }

    private static RopeOptions ReadLlama3(ConfigFile file, ConfigFile scaling, double theta)
    {
        double low = scaling.Number("low_freq_factor", 1e-6, 1e6), high = scaling.Number("high_freq_factor", 1e-6, 1e6);
        if (low >= high) throw file.Disagree($"rope_scaling's low_freq_factor is {low} and high_freq_factor {high}: the first must be less");
        return new RopeOptions(
            theta, RopeScaling.Llama3, scaling.Number("factor", 1, 1e6), low, high, scaling.Int("original_max_position_embeddings", 1, MaxContext));
    }
}
