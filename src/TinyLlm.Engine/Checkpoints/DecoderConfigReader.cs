using System.Collections.Immutable;

namespace TinyLlm.Engine;

/// <summary>
/// Turns config.json into a <see cref="DecoderConfig"/>. Each architecture's defaults are those of its Hugging Face configuration class; a field
/// that would change the result and is not implemented is an error, never ignored.
/// </summary>
internal static class DecoderConfigReader
{
    private const string FileName = "config.json";

    private delegate DecoderConfig Reader(ConfigFile file, string architecture);

    private static readonly ImmutableSortedDictionary<string, Reader> s_readers = new Dictionary<string, Reader>(StringComparer.Ordinal)
    {
        ["LlamaForCausalLM"] = LlamaReader.Llama,
        ["MistralForCausalLM"] = LlamaReader.Mistral,
        ["Qwen2ForCausalLM"] = LlamaReader.Qwen2,
        ["Qwen3ForCausalLM"] = LlamaReader.Qwen3,
        ["Phi3ForCausalLM"] = LlamaReader.Phi3,
        ["Gemma3ForCausalLM"] = GemmaReader.Gemma3,
        ["GPT2LMHeadModel"] = GptReader.Gpt2,
        ["GPTNeoForCausalLM"] = GptReader.GptNeo,
        ["GPTNeoXForCausalLM"] = GptReader.GptNeoX,
        ["OPTForCausalLM"] = OptReader.Opt,
        ["TinyLlmNGramForCausalLM"] = CharacterReader.NGram,
        ["TinyLlmBigramForCausalLM"] = CharacterReader.Bigram,
    }.ToImmutableSortedDictionary(StringComparer.Ordinal);

    public static DecoderConfig Read(ReadOnlySpan<byte> json)
    {
        using ConfigFile file = ConfigFile.Parse(FileName, json);

        // 1. Which architecture.
        ImmutableArray<string> named = file.Texts("architectures");
        string architecture = named.FirstOrDefault(s_readers.ContainsKey) ?? throw new ModelFormatException(
            ModelFormatError.UnknownArchitecture,
            FileName,
            $"{FileName}: architectures is {ForeignText.Quote(string.Join(", ", named))}, and the engine knows {string.Join(", ", s_readers.Keys)}");

        // 2. What no architecture may ask for.
        if (file.Has("quantization_config")) throw file.Unsupported("quantization_config", "F32, F16 and BF16 weights");
        if (file.Bool("add_cross_attention", false)) throw file.Unsupported("add_cross_attention", "false");
        if (file.Bool("is_encoder_decoder", false)) throw file.Unsupported("is_encoder_decoder", "false");

        // 3. The rest.
        DecoderConfig config = s_readers[architecture](file, architecture);
        return config with { EndOfTextIds = file.Ids("eos_token_id", config.VocabularySize) };
    }

    /// <summary>The nonlinearity by its name in transformers.</summary>
    public static Activation ReadActivation(ConfigFile file, string field, Activation absent) => file.Text(field) switch
    {
        null => absent,
        "silu" or "swish" => Activation.Silu,
        "gelu" or "gelu_python" => Activation.Gelu,
        "gelu_new" or "gelu_fast" or "gelu_pytorch_tanh" or "gelu_accurate" => Activation.GeluTanh,
        "relu" => Activation.Relu,
        _ => throw file.Unsupported(field, "silu, gelu, gelu_new, gelu_fast, gelu_pytorch_tanh and relu"),
    };

    /// <summary>Whether the embedding makes the logits too.</summary>
    public static OutputMatrix ReadOutput(ConfigFile file, bool absent) => file.Bool("tie_word_embeddings", absent) ? OutputMatrix.Embedding : OutputMatrix.Own;

    /// <summary>The width of a head where no field says it.</summary>
    public static int DivideHeads(ConfigFile file, string hiddenField, int hidden, string headsField, int heads) => hidden % heads == 0
        ? hidden / heads
        : throw file.Disagree($"{hiddenField} is {hidden} and {headsField} {heads}: the second must divide the first");
}
