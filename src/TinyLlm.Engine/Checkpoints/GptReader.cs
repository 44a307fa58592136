using System.Collections.Immutable;

namespace TinyLlm.Engine;

/// <summary>GPT-2 and its relatives: layer norms with biases and a plain MLP.</summary>
internal static class GptReader
{
    private const int NeoWindow = 256; // transformers' default

    public static DecoderConfig Gpt2(ConfigFile file, string architecture)
    {
        int hidden = file.Int("n_embd", 1, ConfigLimits.Width), heads = file.Int("n_head", 1, ConfigLimits.Heads), layers = file.Int("n_layer", 1, ConfigLimits.Layers);
        int headSize = DecoderConfigReader.DivideHeads(file, "n_embd", hidden, "n_head", heads), context = file.Int("n_positions", 1, ConfigLimits.Context);
        double scale = file.Bool("scale_attn_weights", true) ? 1 / Math.Sqrt(headSize) : 1;
        bool isByLayer = file.Bool("scale_attn_by_inverse_layer_idx", false);
        return Plain(file, architecture, hidden, heads, context) with
        {
            Positions = new PositionTable(context),
            Layers = [.. Enumerable.Range(0, layers).Select(layer => new LayerOptions(isByLayer ? scale / (layer + 1) : scale))],
            HasQueryKeyValueBias = true,
            IntermediateSize = file.Int("n_inner", 1, ConfigLimits.Intermediate, absent: 4 * hidden),
            Activation = DecoderConfigReader.ReadActivation(file, "activation_function", Activation.GeluTanh),
            NormEpsilon = file.Number("layer_norm_epsilon", 1e-12, 1, absent: 1e-5),
            Output = DecoderConfigReader.ReadOutput(file, absent: true),
        };
    }

    /// <summary>Its attention is not scaled, and by its attention_types each second layer sees a window.</summary>
    public static DecoderConfig GptNeo(ConfigFile file, string architecture)
    {
        int hidden = file.Int("hidden_size", 1, ConfigLimits.Width), heads = file.Int("num_heads", 1, ConfigLimits.Heads), layers = file.Int("num_layers", 1, ConfigLimits.Layers);
        int context = file.Int("max_position_embeddings", 1, ConfigLimits.Context), window = file.Int("window_size", 1, int.MaxValue, NeoWindow);
        ImmutableArray<string> types = file.Has("attention_layers") ? file.Texts("attention_layers") : file.RepeatedTexts("attention_types", ConfigLimits.Layers);
        if (types.Length != layers) throw file.Disagree($"attention_types makes {types.Length} layers and num_layers is {layers}: they must agree");
        if (types.Any(type => type is not ("global" or "local"))) throw file.Unsupported("attention_types", "global and local");
        return Plain(file, architecture, hidden, heads, context) with
        {
            HeadSize = DecoderConfigReader.DivideHeads(file, "hidden_size", hidden, "num_heads", heads),
            Positions = new PositionTable(context),
            Layers = [.. types.Select(type => new LayerOptions(1, Window: type == "local" && window < context ? window : null))],
            IntermediateSize = file.Int("intermediate_size", 1, ConfigLimits.Intermediate, absent: 4 * hidden),
            Activation = DecoderConfigReader.ReadActivation(file, "activation_function", Activation.GeluTanh),
            NormEpsilon = file.Number("layer_norm_epsilon", 1e-12, 1, absent: 1e-5),
            Output = DecoderConfigReader.ReadOutput(file, absent: true),
        };
    }

    /// <summary>Pythia: a part of each head turns, and attention and MLP stand side by side.</summary>
    public static DecoderConfig GptNeoX(ConfigFile file, string architecture)
    {
        int hidden = file.Int("hidden_size", 1, ConfigLimits.Width), heads = file.Int("num_attention_heads", 1, ConfigLimits.Heads);
        int layers = file.Int("num_hidden_layers", 1, ConfigLimits.Layers), headSize = DecoderConfigReader.DivideHeads(file, "hidden_size", hidden, "num_attention_heads", heads);
        double theta = RopeReader.ThetaOf(file, file.Has("rotary_emb_base") ? "rotary_emb_base" : "rope_theta");
        (RopeOptions rope, int context) = RopeReader.Read(file, headSize, file.Number("rotary_pct", 0, 1, absent: 0.25), theta);
        bool hasBias = file.Bool("attention_bias", true);
        return Plain(file, architecture, hidden, heads, context) with
        {
            HeadSize = headSize,
            Layers = [.. Enumerable.Repeat(new LayerOptions(1 / Math.Sqrt(headSize), rope), layers)],
            HasQueryKeyValueBias = hasBias,
            HasAttentionOutputBias = hasBias,
            HasParallelResidual = file.Bool("use_parallel_residual", true),
            IntermediateSize = file.Int("intermediate_size", 1, ConfigLimits.Intermediate),
            Activation = DecoderConfigReader.ReadActivation(file, "hidden_act", Activation.Gelu),
            NormEpsilon = file.Number("layer_norm_eps", 1e-12, 1, absent: 1e-5),
            Output = DecoderConfigReader.ReadOutput(file, absent: false),
        };
    }

    private static DecoderConfig Plain(ConfigFile file, string architecture, int hidden, int heads, int context) => new()
    {
        Architecture = architecture,
        HiddenSize = hidden,
        EmbeddingSize = hidden,
        VocabularySize = file.Int("vocab_size", 1, ConfigLimits.Vocabulary),
        ContextLength = context,
        Layers = [],
        HeadCount = heads,
        KeyValueHeadCount = heads,
        HeadSize = hidden / heads,
        HasAttentionOutputBias = true,
        HasMlpBias = true,
        Norm = NormKind.Layer,
        Output = OutputMatrix.Embedding,
    };
}
