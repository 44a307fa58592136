using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using TinyLlm.SafeTensors;

namespace TinyLlm.Tests;

/// <summary>
/// Makes small checkpoints of any architecture in folders of its own, with random weights from a seed. Any field of config.json, and any
/// tensor, can be changed before it is written.
/// </summary>
internal sealed class TinyCheckpoint : IDisposable
{
    public const int Vocabulary = TinyShapes.Vocabulary, Context = TinyShapes.Context;

    private readonly Random _random;

    public TinyCheckpoint(string architecture = "LlamaForCausalLM", int seed = 1)
    {
        Folder = Directory.CreateTempSubdirectory("tinyllm-checkpoint-").FullName;
        TinyShapes shapes = TinyShapes.Of(architecture);
        Config = shapes.Config;
        _random = new Random(seed);
        foreach ((string name, long[] shape) in shapes.Tensors) Fill(name, shape);
    }

    public string Folder { get; }

    public JsonObject Config { get; }

    public SortedDictionary<string, (DType DType, long[] Shape, byte[] Bytes)> Tensors { get; } = new(StringComparer.Ordinal);

    /// <summary>A tensor of random numbers: vectors up to 1, matrices up to 0.5.</summary>
    public void Fill(string name, params long[] shape)
    {
        float[] values = new float[shape.Aggregate(1L, (product, size) => product * size)];
        for (int i = 0; i < values.Length; i++) values[i] = (float)(_random.NextDouble() * 2 - 1) * (shape.Length == 1 ? 1 : 0.5f);
        Set(name, shape, values);
    }

    /// <summary>Renames every tensor that begins so.</summary>
    public void ReplacePrefix(string prefix, string replacement)
    {
        foreach (string name in Tensors.Keys.Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).ToArray())
        {
            Tensors[replacement + name[prefix.Length..]] = Tensors[name];
            Tensors.Remove(name);
        }
    }

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
