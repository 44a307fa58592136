using System.Text.Json;
using TinyLlm.SafeTensors;

namespace TinyLlm.Bench.Engine;

/// <summary>Checkpoints of given shapes with random weights, written as the benchmark needs them.</summary>
internal static class BenchModels
{
    private static readonly string[] s_architectures = ["LlamaForCausalLM"];

    /// <summary>A Llama of this shape with tied embeddings and a context of 2,048, its weights F32 or BF16; answers the folder.</summary>
    public static string Write(string folder, DType dtype, int layers, int hidden, int inner, int heads, int keyValueHeads, int vocabulary)
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
        List<TensorSource> tensors = [Random(dtype, "model.embed_tokens.weight", vocabulary, hidden), Random(dtype, "model.norm.weight", hidden)];
        for (int layer = 0; layer < layers; layer++)
        {
            string prefix = $"model.layers.{layer}.";
            tensors.Add(Random(dtype, prefix + "input_layernorm.weight", hidden));
            tensors.Add(Random(dtype, prefix + "self_attn.q_proj.weight", hidden, hidden));
            tensors.Add(Random(dtype, prefix + "self_attn.k_proj.weight", keys, hidden));
            tensors.Add(Random(dtype, prefix + "self_attn.v_proj.weight", keys, hidden));
            tensors.Add(Random(dtype, prefix + "self_attn.o_proj.weight", hidden, hidden));
            tensors.Add(Random(dtype, prefix + "post_attention_layernorm.weight", hidden));
            tensors.Add(Random(dtype, prefix + "mlp.gate_proj.weight", inner, hidden));
            tensors.Add(Random(dtype, prefix + "mlp.up_proj.weight", inner, hidden));
            tensors.Add(Random(dtype, prefix + "mlp.down_proj.weight", hidden, inner));
        }
        SafeTensorsWriter.WriteFile(Path.Combine(folder, "model.safetensors"), tensors, metadata: null);
        return folder;
    }

    private static TensorSource Random(DType dtype, string name, params long[] shape)
    {
        long count = shape.Aggregate(1L, static (product, size) => product * size);
        return new TensorSource(name, dtype, [.. shape], stream => WriteRandom(stream, dtype, count, new Random(name.Length)));
    }

    private static void WriteRandom(Stream stream, DType dtype, long count, Random random)
    {
        int bytes = dtype == DType.BF16 ? sizeof(ushort) : sizeof(float);
        byte[] block = new byte[bytes * 4096];
        for (long written = 0; written < count; written += 4096)
        {
            int size = (int)Math.Min(4096, count - written);
            for (int i = 0; i < size; i++)
            {
                // A BF16 is the upper half of a float.
                float value = (random.NextSingle() - 0.5f) * 0.1f;
                if (dtype == DType.BF16) BitConverter.TryWriteBytes(block.AsSpan(bytes * i), (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16));
                else BitConverter.TryWriteBytes(block.AsSpan(bytes * i), value);
            }
            stream.Write(block, 0, bytes * size);
        }
    }
}
