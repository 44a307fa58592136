namespace TinyLlm.Engine;

/// <summary>Gemma 3's text model: two kinds of layers with rotations of their own, norms around attention and MLP, scaled embeddings.</summary>
internal static class GemmaReader
{
    // transformers' defaults
    private const int HeadSizeDefault = 256, WindowDefault = 4096, PatternDefault = 6;
    private const double ThetaDefault = 1e6, LocalThetaDefault = 1e4, QueryScalarDefault = 256;

    public static DecoderConfig Gemma3(ConfigFile file, string architecture)
    {
        if (file.Bool("use_bidirectional_attention", false)) throw file.Unsupported("use_bidirectional_attention", "false");
        int hidden = file.Int("hidden_size", 1, ConfigLimits.Width), layers = file.Int("num_hidden_layers", 1, ConfigLimits.Layers);
        (int heads, int keyValueHeads, int headSize) = LlamaReader.ReadHeads(file, hidden, hasOwnHeadDefault: false, HeadSizeDefault);

        // Every sixth layer sees everything, the others a window.
        int pattern = file.Int("sliding_window_pattern", 1, ConfigLimits.Layers, PatternDefault), window = file.Int("sliding_window", 1, int.MaxValue, WindowDefault);
        Func<int, bool> isLocal = LlamaReader.SlidingLayers(file, layers, layer => (layer + 1) % pattern != 0);
        (RopeOptions global, RopeOptions local, int context) = ReadRopes(file, headSize);
        double scale = 1 / Math.Sqrt(file.Number("query_pre_attn_scalar", 1e-6, 1e6, QueryScalarDefault));
        bool hasBias = file.Bool("attention_bias", false);
        return new DecoderConfig
        {
            Architecture = architecture,
            HiddenSize = hidden,
            EmbeddingSize = hidden,
            EmbeddingScale = Math.Sqrt(hidden),
            VocabularySize = file.Int("vocab_size", 1, ConfigLimits.Vocabulary),
            ContextLength = context,
            Layers = [.. Enumerable.Range(0, layers).Select(layer => isLocal(layer) ? new LayerOptions(scale, local, window < context ? window : null) : new LayerOptions(scale, global))],
            HeadCount = heads,
            KeyValueHeadCount = keyValueHeads,
            HeadSize = headSize,
            HasQueryKeyValueBias = hasBias,
            HasAttentionOutputBias = hasBias,
            HasQueryKeyNorm = true,
            AttentionLogitCap = Cap(file, "attn_logit_softcapping"),
            IntermediateSize = file.Int("intermediate_size", 1, ConfigLimits.Intermediate),
            Activation = DecoderConfigReader.ReadActivation(file, "hidden_activation", Activation.GeluTanh),
            HasGate = true,
            Norm = NormKind.RmsFromOne,
            NormEpsilon = file.Number("rms_norm_eps", 1e-12, 1, absent: 1e-6),
            NormPlacement = NormPlacement.Around,
            Output = DecoderConfigReader.ReadOutput(file, absent: true),
            LogitCap = Cap(file, "final_logit_softcapping"),
        };
    }

    /// <summary>transformers 5 has a set of parameters for each kind of layer; before it, only the global ones were scaled.</summary>
    private static (RopeOptions Global, RopeOptions Local, int ContextLength) ReadRopes(ConfigFile file, int headSize)
    {
        ConfigFile? parameters = file.Object("rope_parameters");
        ConfigFile? global = parameters?.Object("full_attention") ?? file.Object("rope_scaling"), local = parameters?.Object("sliding_attention");
        (RopeOptions globalRope, int context) = RopeReader.Read(file, global, headSize, 1, Theta(parameters?.Object("full_attention"), "rope_theta", ThetaDefault));
        (RopeOptions localRope, _) = RopeReader.Read(file, local, headSize, 1, Theta(local, "rope_local_base_freq", LocalThetaDefault));
        return (globalRope, localRope, context);

        double Theta(ConfigFile? own, string field, double absent) => own is not null && own.Has("rope_theta") ? own.Number("rope_theta", 1, 1e12) : file.Number(field, 1, 1e12, absent);
    }

    private static double? Cap(ConfigFile file, string field) => file.Has(field) ? file.Number(field, 1e-3, 1e6) : null;
}
