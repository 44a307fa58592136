using System.Text.Json;
using TinyLlm.SafeTensors;

namespace TinyLlm.Bench.Engine;

/// <summary>Checkpoints of given shapes with random F32 weights, written as the benchmark needs them.</summary>
internal static class BenchModels
{
    private static readonly string[] s_architectures = ["LlamaForCausalLM"];

    /// <summary>A Llama of this shape with tied embeddings and a context of 2,048; answers the folder.</summary>
    public static string Write(string folder, int layers, int hidden, int inner, int heads, int keyValueHeads, int vocabulary)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "config.json"), JsonSerializer.Serialize(new
        {
            architectures = s_architectures,
            hidden_size = hidden,
            intermediate_size = inner,
            num_hidden_layers = layers,
            num_attention_heads = heads,
            num_key_value_heads = keyValueHeads,
            vocab_size = vocabulary,
            max_position_embeddings = 2048,
            rms_norm_eps = 1e-5,
            tie_word_embeddings = true,
        }));
        int keys = hidden / heads * keyValueHeads;
        List<TensorSource> tensors = [Random("model.embed_tokens.weight", vocabulary, hidden), Random("model.norm.weight", hidden)];
        for (int layer = 0; layer < layers; layer++)
        {
            string prefix = $"model.layers.{layer}.";
            tensors.Add(Random(prefix + "input_layernorm.weight", hidden));
            tensors.Add(Random(prefix + "self_attn.q_proj.weight", hidden, hidden));
            tensors.Add(Random(prefix + "self_attn.k_proj.weight", keys, hidden));
            tensors.Add(Random(prefix + "self_attn.v_proj.weight", keys, hidden));
            tensors.Add(Random(prefix + "self_attn.o_proj.weight", hidden, hidden));
            tensors.Add(Random(prefix + "post_attention_layernorm.weight", hidden));
            tensors.Add(Random(prefix + "mlp.gate_proj.weight", inner, hidden));
            tensors.Add(Random(prefix + "mlp.up_proj.weight", inner, hidden));
            tensors.Add(Random(prefix + "mlp.down_proj.weight", hidden, inner));
        }
        SafeTensorsWriter.WriteFile(Path.Combine(folder, "model.safetensors"), tensors, metadata: null);
        return folder;
    }

    private static TensorSource Random(string name, params long[] shape)
    {
        long count = shape.Aggregate(1L, static (product, size) => product * size);
        return new TensorSource(name, DType.F32, [.. shape], stream => WriteRandom(stream, count, new Random(name.Length)));
    }

    private static void WriteRandom(Stream stream, long count, Random random)
    {
        byte[] block = new byte[sizeof(float) * 4096];
        for (long written = 0; written < count; written += 4096)
        {
            int size = (int)Math.Min(4096, count - written);
            for (int i = 0; i < size; i++) BitConverter.TryWriteBytes(block.AsSpan(sizeof(float) * i), (random.NextSingle() - 0.5f) * 0.1f);
            stream.Write(block, 0, sizeof(float) * size);
        }
    }
}
