using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using TinyLlm.SafeTensors;

namespace TinyLlm.Tests;

/// <summary>
/// Makes small checkpoints in folders of its own, with random weights from a seed. Any field of config.json, and any tensor, can be changed
/// before it is written.
/// </summary>
internal sealed class TinyCheckpoint : IDisposable
{
    public const int Vocabulary = 48, Context = 128;

    public TinyCheckpoint(string architecture = "LlamaForCausalLM", int seed = 1)
    {
        Folder = Directory.CreateTempSubdirectory("tinyllm-checkpoint-").FullName;
        Config = new JsonObject
        {
            ["architectures"] = new JsonArray(architecture),
            ["hidden_size"] = 16,
            ["intermediate_size"] = 24,
            ["num_hidden_layers"] = 2,
            ["num_attention_heads"] = 4,
            ["num_key_value_heads"] = 2,
            ["head_dim"] = 4,
            ["vocab_size"] = Vocabulary,
            ["max_position_embeddings"] = Context,
            ["rms_norm_eps"] = 1e-5,
            ["rope_theta"] = 10000.0,
            ["sliding_window"] = null,
            ["tie_word_embeddings"] = false,
            ["eos_token_id"] = 2,
        };
        bool hasBias = architecture == "Qwen2ForCausalLM", hasNorm = architecture == "Qwen3ForCausalLM";
        Random random = new(seed);
        Add("model.embed_tokens.weight", Vocabulary, 16);
        for (int layer = 0; layer < 2; layer++)
        {
            string prefix = $"model.layers.{layer}.";
            Add(prefix + "input_layernorm.weight", 16);
            Add(prefix + "self_attn.q_proj.weight", 16, 16);
            Add(prefix + "self_attn.k_proj.weight", 8, 16);
            Add(prefix + "self_attn.v_proj.weight", 8, 16);
            Add(prefix + "self_attn.o_proj.weight", 16, 16);
            Add(prefix + "post_attention_layernorm.weight", 16);
            Add(prefix + "mlp.gate_proj.weight", 24, 16);
            Add(prefix + "mlp.up_proj.weight", 24, 16);
            Add(prefix + "mlp.down_proj.weight", 16, 24);
            if (hasBias)
            {
                Add(prefix + "self_attn.q_proj.bias", 16);
                Add(prefix + "self_attn.k_proj.bias", 8);
                Add(prefix + "self_attn.v_proj.bias", 8);
            }
            if (!hasNorm) continue;
            Add(prefix + "self_attn.q_norm.weight", 4);
            Add(prefix + "self_attn.k_norm.weight", 4);
        }
        Add("model.norm.weight", 16);
        Add("lm_head.weight", Vocabulary, 16);

        void Add(string name, params long[] shape)
        {
            float[] values = new float[shape.Aggregate(1L, (product, size) => product * size)];
            for (int i = 0; i < values.Length; i++) values[i] = (float)(random.NextDouble() * 2 - 1) * (shape.Length == 1 ? 1 : 0.5f);
            Set(name, shape, values);
        }
    }

    public string Folder { get; }

    public JsonObject Config { get; }

    public SortedDictionary<string, (DType DType, long[] Shape, byte[] Bytes)> Tensors { get; } = new(StringComparer.Ordinal);

    public void Set(string name, long[] shape, float[] values) => Tensors[name] = (DType.F32, shape, MemoryMarshal.AsBytes(values.AsSpan()).ToArray());

    /// <summary>Rounds a tensor to a shorter type.</summary>
    public void Shorten(string name, DType dtype)
    {
        (_, long[] shape, byte[] bytes) = Tensors[name];
        Span<float> values = MemoryMarshal.Cast<byte, float>(bytes.AsSpan());
        ushort[] shortened = new ushort[values.Length];
        for (int i = 0; i < shortened.Length; i++)
        {
            shortened[i] = dtype == DType.F16
                ? BitConverter.HalfToUInt16Bits((Half)values[i])
                : (ushort)(BitConverter.SingleToUInt32Bits(values[i]) >> 16);
        }
        Tensors[name] = (dtype, shape, MemoryMarshal.AsBytes(shortened.AsSpan()).ToArray());
    }

    /// <summary>Writes config.json and the tensors, in one file or, with an index, in as many as asked; answers the folder.</summary>
    public string Write(int shards = 1)
    {
        File.WriteAllText(Path.Combine(Folder, "config.json"), Config.ToJsonString());
        if (shards == 1)
        {
            WriteShard("model.safetensors", Tensors.Keys);
            return Folder;
        }
        Dictionary<string, string> map = [];
        for (int shard = 0; shard < shards; shard++)
        {
            string file = $"model-{shard + 1:00000}-of-{shards:00000}.safetensors";
            string[] names = [.. Tensors.Keys.Where((_, index) => index % shards == shard)];
            WriteShard(file, names);
            foreach (string name in names) map.Add(name, file);
        }
        File.WriteAllText(
            Path.Combine(Folder, "model.safetensors.index.json"), JsonSerializer.Serialize(new { metadata = new { total_size = 0 }, weight_map = map }));
        return Folder;
    }

    public void WriteShard(string file, IEnumerable<string> names) => SafeTensorsWriter.WriteFile(
        Path.Combine(Folder, file),
        [.. names.Select(name => new TensorSource(name, Tensors[name].DType, [.. Tensors[name].Shape], Tensors[name].Bytes))],
        null);

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
