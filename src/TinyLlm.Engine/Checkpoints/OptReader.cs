namespace TinyLlm.Engine;

/// <summary>OPT: learned positions with an offset of two; its 350m variant normalises after the sums and has narrower embeddings.</summary>
internal static class OptReader
{
    private const int PositionOffset = 2; // the padding index plus one, in the code that trained it

    public static DecoderConfig Opt(ConfigFile file, string architecture)
    {
        if (!file.Bool("layer_norm_elementwise_affine", true)) throw file.Unsupported("layer_norm_elementwise_affine", "true");
        int hidden = file.Int("hidden_size", 1, ConfigLimits.Width), heads = file.Int("num_attention_heads", 1, ConfigLimits.Heads);
        int headSize = DecoderConfigReader.DivideHeads(file, "hidden_size", hidden, "num_attention_heads", heads);
        int layers = file.Int("num_hidden_layers", 1, ConfigLimits.Layers), context = file.Int("max_position_embeddings", 1, ConfigLimits.Context);
        bool hasBias = file.Bool("enable_bias", true), isBefore = file.Bool("do_layer_norm_before", true);
        return new DecoderConfig
        {
            Architecture = architecture,
            HiddenSize = hidden,
            EmbeddingSize = file.Int("word_embed_proj_dim", 1, ConfigLimits.Width, absent: hidden),
            Positions = new PositionTable(context + PositionOffset, PositionOffset),
            VocabularySize = file.Int("vocab_size", 1, ConfigLimits.Vocabulary),
            ContextLength = context,
            Layers = [.. Enumerable.Repeat(new LayerOptions(1 / Math.Sqrt(headSize)), layers)],
            HeadCount = heads,
            KeyValueHeadCount = heads,
            HeadSize = headSize,
            HasQueryKeyValueBias = hasBias,
            HasAttentionOutputBias = hasBias,
            IntermediateSize = file.Int("ffn_dim", 1, ConfigLimits.Intermediate),
            Activation = DecoderConfigReader.ReadActivation(file, "activation_function", Activation.Relu),
            HasMlpBias = hasBias,
            Norm = NormKind.Layer,
            NormPlacement = isBefore ? NormPlacement.Before : NormPlacement.After,
            HasFinalNorm = isBefore && !file.Bool("_remove_final_layer_norm", false),
            Output = DecoderConfigReader.ReadOutput(file, absent: true),
        };
    }
}
