namespace TinyLlm.Engine;

/// <summary>
/// Models that look at one token only, which the Python TinyLLM made of characters. They are decoders without layers.
/// <c>TinyLlmNGramForCausalLM</c>: config.json has vocab_size; tensor <c>transitions.weight</c> (V, V) has in row c the logarithms of the probabilities of what
/// follows c. <c>TinyLlmBigramForCausalLM</c>: config.json has vocab_size and hidden_size; tensors <c>embeddings.weight</c> (V, C) and
/// <c>output.bias</c> (V), and the logits after c are E E[c] + bias. Both: max_position_embeddings, 2,048 when absent.
/// </summary>
internal static class CharacterReader
{
    private const int ContextDefault = 2048;

    public static DecoderConfig NGram(ConfigFile file, string architecture)
    {
        int vocabulary = file.Int("vocab_size", 1, ConfigLimits.Width); // V is a width here
        return new DecoderConfig
        {
            Architecture = architecture,
            HiddenSize = vocabulary,
            EmbeddingSize = vocabulary,
            VocabularySize = vocabulary,
            ContextLength = file.Int("max_position_embeddings", 1, ConfigLimits.Context, ContextDefault),
            Layers = [],
            HasFinalNorm = false,
            Output = OutputMatrix.None,
        };
    }

    public static DecoderConfig Bigram(ConfigFile file, string architecture)
    {
        int hidden = file.Int("hidden_size", 1, ConfigLimits.Width);
        return new DecoderConfig
        {
            Architecture = architecture,
            HiddenSize = hidden,
            EmbeddingSize = hidden,
            VocabularySize = file.Int("vocab_size", 1, ConfigLimits.Vocabulary),
            ContextLength = file.Int("max_position_embeddings", 1, ConfigLimits.Context, ContextDefault),
            Layers = [],
            HasFinalNorm = false,
            Output = OutputMatrix.Embedding,
            HasOutputBias = true,
        };
    }
}
