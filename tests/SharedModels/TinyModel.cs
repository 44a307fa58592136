using System.Runtime.InteropServices;
using System.Text.Json;
using TinyLlm.SafeTensors;

namespace TinyLlm.Tests;

/// <summary>
/// Writes a tiny Llama with random weights and a tokenizer of bytes: a model of the project's own, small enough to upload in any test. What it
/// says means nothing, but the same seed says the same.
/// </summary>
internal static class TinyModel
{
    public const int ContextLength = 256;
    public const int VocabularySize = ByteTokensBegin + 256;

    private const int ByteTokensBegin = 3; // after <unk>, <s> and </s>
    private const int HiddenSize = 16;
    private const int IntermediateSize = 32;
    private const int Heads = 2;
    private const int KeyValueHeads = 1;
    private const int Layers = 2;

    /// <summary>Every file of the model, by name.</summary>
    public static Dictionary<string, byte[]> Files(int seed = 1, int contextLength = ContextLength) => new()
    {
        ["config.json"] = JsonSerializer.SerializeToUtf8Bytes(Config(contextLength)),
        ["tokenizer.json"] = JsonSerializer.SerializeToUtf8Bytes(Tokenizer()),
        ["tokenizer_config.json"] = """{"bos_token":"<s>","eos_token":"</s>","unk_token":"<unk>","add_bos_token":true,"add_eos_token":false}"""u8.ToArray(),
        ["model.safetensors"] = Weights(seed),
    };

    /// <summary>Writes the files into <paramref name="folder"/>, which is made when it isn't there.</summary>
    public static void WriteTo(string folder, int seed = 1)
    {
        Directory.CreateDirectory(folder);
        foreach ((string name, byte[] bytes) in Files(seed)) File.WriteAllBytes(Path.Combine(folder, name), bytes);
    }

    /// <summary>The checkpoint's bytes.</summary>
    public static byte[] Weights(int seed = 1)
    {
        Random random = new(seed);
        List<TensorSource> tensors = [Tensor("model.embed_tokens.weight", VocabularySize, HiddenSize)];
        for (int layer = 0; layer < Layers; layer++)
        {
            string prefix = $"model.layers.{layer}.";
            tensors.Add(Tensor(prefix + "input_layernorm.weight", HiddenSize));
            tensors.Add(Tensor(prefix + "self_attn.q_proj.weight", HiddenSize, HiddenSize));
            tensors.Add(Tensor(prefix + "self_attn.k_proj.weight", HiddenSize / Heads * KeyValueHeads, HiddenSize));
            tensors.Add(Tensor(prefix + "self_attn.v_proj.weight", HiddenSize / Heads * KeyValueHeads, HiddenSize));
            tensors.Add(Tensor(prefix + "self_attn.o_proj.weight", HiddenSize, HiddenSize));
            tensors.Add(Tensor(prefix + "post_attention_layernorm.weight", HiddenSize));
            tensors.Add(Tensor(prefix + "mlp.gate_proj.weight", IntermediateSize, HiddenSize));
            tensors.Add(Tensor(prefix + "mlp.up_proj.weight", IntermediateSize, HiddenSize));
            tensors.Add(Tensor(prefix + "mlp.down_proj.weight", HiddenSize, IntermediateSize));
        }
        tensors.Add(Tensor("model.norm.weight", HiddenSize));
        using MemoryStream stream = new();
        SafeTensorsWriter.Write(stream, tensors, metadata: null);
        return stream.ToArray();

        TensorSource Tensor(string name, params long[] shape)
        {
            float[] values = new float[shape.Aggregate(1L, (product, size) => product * size)];
            // Norms near one and small matrices: many tokens stay likely, so sampling has something to choose from.
            for (int i = 0; i < values.Length; i++) values[i] = shape.Length == 1 ? 1 : (random.NextSingle() - 0.5f) * 0.5f;
            return new TensorSource(name, DType.F32, [.. shape], MemoryMarshal.AsBytes(values.AsSpan()).ToArray());
        }
    }

    private static object Config(int contextLength) => new
    {
        architectures = new[] { "LlamaForCausalLM" },
        model_type = "llama",
        hidden_size = HiddenSize,
        intermediate_size = IntermediateSize,
        num_hidden_layers = Layers,
        num_attention_heads = Heads,
        num_key_value_heads = KeyValueHeads,
        vocab_size = VocabularySize,
        max_position_embeddings = contextLength,
        rms_norm_eps = 1e-5,
        rope_theta = 10000.0,
        hidden_act = "silu",
        tie_word_embeddings = true,
        bos_token_id = 1,
        eos_token_id = 2,
        torch_dtype = "float32",
    };

    private static object Tokenizer()
    {
        Dictionary<string, int> vocabulary = new() { ["<unk>"] = 0, ["<s>"] = 1, ["</s>"] = 2 };
        for (int value = 0; value < 256; value++) vocabulary[$"<0x{value:X2}>"] = ByteTokensBegin + value;
        object Special(int id, string content) => new { id, content, single_word = false, lstrip = false, rstrip = false, normalized = false, special = true };
        return new
        {
            version = "1.0",
            added_tokens = new[] { Special(0, "<unk>"), Special(1, "<s>"), Special(2, "</s>") },
            post_processor = new
            {
                type = "TemplateProcessing",
                single = new object[] { new { SpecialToken = new { id = "<s>", type_id = 0 } }, new { Sequence = new { id = "A", type_id = 0 } } },
                pair = Array.Empty<object>(),
                special_tokens = new Dictionary<string, object> { ["<s>"] = new { id = "<s>", ids = new[] { 1 }, tokens = new[] { "<s>" } } },
            },
            decoder = new { type = "Sequence", decoders = new object[] { new { type = "ByteFallback" }, new { type = "Fuse" } } },
            model = new { type = "BPE", unk_token = "<unk>", fuse_unk = true, byte_fallback = true, vocab = vocabulary, merges = Array.Empty<string>() },
        };
    }
}
