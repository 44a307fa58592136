using System.Collections.Immutable;

namespace TinyLlm.Engine;

/// <summary>Llama and its close relatives: rotary positions, RMS norms before attention and a gated MLP.</summary>
internal static class LlamaReader
{
    private const int MistralWindow = 4096, QwenFullLayers = 28; // transformers' defaults

    public static DecoderConfig Llama(ConfigFile file, string architecture)
    {
        RefusePartialRotary(file);
        RefuseOtherLayers(file);
        bool hasBias = file.Bool("attention_bias", false);
        return Read(file, architecture, hasOwnHeadDefault: true, partialRotary: 1, _ => null) with
        {
            HasQueryKeyValueBias = hasBias,
            HasAttentionOutputBias = hasBias,
            HasMlpBias = file.Bool("mlp_bias", false),
        };
    }

    public static DecoderConfig Mistral(ConfigFile file, string architecture)
    {
        RefusePartialRotary(file);
        RefuseOtherLayers(file);
        int? window = file.IsNull("sliding_window") ? null : file.Int("sliding_window", 1, int.MaxValue, absent: MistralWindow);
        return Read(file, architecture, hasOwnHeadDefault: false, partialRotary: 1, _ => window);
    }

    public static DecoderConfig Qwen2(ConfigFile file, string architecture)
    {
        RefusePartialRotary(file);
        return Read(file, architecture, hasOwnHeadDefault: false, partialRotary: 1, QwenWindows(file)) with { HasQueryKeyValueBias = true };
    }

    public static DecoderConfig Qwen3(ConfigFile file, string architecture)
    {
        RefusePartialRotary(file);
        file.Int("head_dim", 2, ConfigLimits.HeadSize); // here it must be there
        bool hasBias = file.Bool("attention_bias", false);
        return Read(file, architecture, hasOwnHeadDefault: false, partialRotary: 1, QwenWindows(file)) with
        {
            HasQueryKeyValueBias = hasBias,
            HasAttentionOutputBias = hasBias,
            HasQueryKeyNorm = true,
        };
    }

    public static DecoderConfig Phi3(ConfigFile file, string architecture)
    {
        RefuseOtherLayers(file);
        int? window = file.Has("sliding_window") ? file.Int("sliding_window", 1, int.MaxValue) : null;
        return Read(file, architecture, hasOwnHeadDefault: true, file.Number("partial_rotary_factor", 0, 1, absent: 1), _ => window);
    }

    /// <summary>Heads of queries, of keys and values, and their width.</summary>
    public static (int Heads, int KeyValueHeads, int HeadSize) ReadHeads(ConfigFile file, int hidden, bool hasOwnHeadDefault, int? headSizeDefault = null)
    {
        int heads = file.Int("num_attention_heads", 1, ConfigLimits.Heads);
        int keyValueHeads = file.Int("num_key_value_heads", 1, ConfigLimits.Heads, absent: hasOwnHeadDefault ? heads : null);
        if (heads % keyValueHeads != 0)
            throw file.Disagree($"num_attention_heads is {heads} and num_key_value_heads {keyValueHeads}: the second must divide the first");
        int? absent = headSizeDefault ?? (file.Has("head_dim") ? null : DecoderConfigReader.DivideHeads(file, "hidden_size", hidden, "num_attention_heads", heads));
        return (heads, keyValueHeads, file.Int("head_dim", 2, ConfigLimits.HeadSize, absent));
    }

    /// <summary>The windows of layers by transformers' layer_types, or by a rule where they are absent. A window that no sequence reaches is none.</summary>
    public static Func<int, bool> SlidingLayers(ConfigFile file, int layers, Func<int, bool> rule)
    {
        ImmutableArray<string> types = file.Texts("layer_types");
        if (types.IsEmpty) return rule;
        if (types.Length != layers) throw file.Disagree($"layer_types has {types.Length} entries and num_hidden_layers is {layers}: they must agree");
        if (types.Any(type => type is not ("full_attention" or "sliding_attention"))) throw file.Unsupported("layer_types", "full_attention and sliding_attention");
        return layer => types[layer] == "sliding_attention";
    }

    private static DecoderConfig Read(ConfigFile file, string architecture, bool hasOwnHeadDefault, double partialRotary, Func<int, int?> window)
    {
        if (file.Bool("rope_interleaved", false)) throw file.Unsupported("rope_interleaved", "false");
        int hidden = file.Int("hidden_size", 1, ConfigLimits.Width), layers = file.Int("num_hidden_layers", 1, ConfigLimits.Layers);
        (int heads, int keyValueHeads, int headSize) = ReadHeads(file, hidden, hasOwnHeadDefault);
        (RopeOptions rope, int context) = RopeReader.Read(file, headSize, partialRotary, RopeReader.ThetaOf(file, "rope_theta"));
        double scale = 1 / Math.Sqrt(headSize);
        return new DecoderConfig
        {
            Architecture = architecture,
            HiddenSize = hidden,
            EmbeddingSize = hidden,
            VocabularySize = file.Int("vocab_size", 1, ConfigLimits.Vocabulary),
            ContextLength = context,
            Layers = [.. Enumerable.Range(0, layers).Select(layer => new LayerOptions(scale, rope, window(layer) is int size && size < context ? size : null))],
            HeadCount = heads,
            KeyValueHeadCount = keyValueHeads,
            HeadSize = headSize,
            IntermediateSize = file.Int("intermediate_size", 1, ConfigLimits.Intermediate),
            Activation = DecoderConfigReader.ReadActivation(file, "hidden_act", Activation.Silu),
            HasGate = true,
            NormEpsilon = file.Number("rms_norm_eps", 1e-12, 1, absent: 1e-6),
            Output = DecoderConfigReader.ReadOutput(file, absent: false),
        };
    }

    private static Func<int, int?> QwenWindows(ConfigFile file)
    {
        if (!file.Bool("use_sliding_window", false))
        {
            RefuseOtherLayers(file);
            return _ => null;
        }
        int layers = file.Int("num_hidden_layers", 1, ConfigLimits.Layers), full = file.Int("max_window_layers", 0, ConfigLimits.Layers, absent: QwenFullLayers);
        int? window = file.IsNull("sliding_window") ? null : file.Int("sliding_window", 1, int.MaxValue, absent: MistralWindow);
        Func<int, bool> isSliding = SlidingLayers(file, layers, layer => layer >= full);
        return layer => isSliding(layer) ? window : null;
    }

    private static void RefusePartialRotary(ConfigFile file)
    {
        if (file.Number("partial_rotary_factor", 0, 1, absent: 1) != 1) throw file.Unsupported("partial_rotary_factor", "1");
    }

    private static void RefuseOtherLayers(ConfigFile file)
    {
        if (file.Texts("layer_types").Any(type => type != "full_attention")) throw file.Unsupported("layer_types", "full_attention");
    }
}
