using System.Collections.Immutable;
using System.Text;
using TinyLlm.SafeTensors.Tests.Fuzzing;

namespace TinyLlm.SafeTensors.Tests.Rules;

/// <summary>What the rules are broken with: one call each on the code under test.</summary>
internal static class RuleBreaker
{
    public static void Read(byte[] file) => SafeTensorsHeader.ParsePrefix(file, file.Length);

    public static void ReadPrefix(ulong headerBytes, long fileLength) =>
        SafeTensorsHeader.ParsePrefix(BitConverter.GetBytes(headerBytes), fileLength);

    public static void ReadStream(byte[] bytes, long fileLength) =>
        SafeTensorsHeader.ReadAsync(new ShortReads(bytes, 3), fileLength, CancellationToken.None).GetAwaiter().GetResult();

    public static void Header(string header, int dataBytes = 1) => Header(Encoding.UTF8.GetBytes(header), dataBytes);

    public static void Header(byte[] header, int dataBytes = 1) => SafeTensorsHeader.Parse(header, 8L + header.Length + dataBytes);

    public static void Tensor(string dtype, string shape, string offsets) => Header($"{{{FileText.Entry("ab", dtype, shape, offsets)}}}");

    public static string Entry(string name, int begin, int end) => FileText.Entry(name, "U8", $"{end - begin}", $"{begin},{end}");

    public static byte[] Escapes(int count) => Encoding.ASCII.GetBytes(new StringBuilder("{\"").Insert(2, "\\n", count).Append("\":1}").ToString());

    public static TensorSource U8(string name, int count) => new(name, DType.U8, [count], new byte[count]);

    public static void Write(params TensorSource[] tensors) => SafeTensorsWriter.Write(Stream.Null, tensors, null);

    public static void Write(Dictionary<string, string> metadata) => SafeTensorsWriter.Write(Stream.Null, [], metadata);

    public static void WriteFour(Stream stream)
    {
        stream.Write([1, 2]);
        stream.Write([3, 4]);
    }

    public static string Many(int count, string value) => string.Join(',', Enumerable.Range(0, count).Select(i => $"\"{i}\":\"{value}\""));

    public static void ParseIndex(string json) => ShardedIndex.Parse(Encoding.UTF8.GetBytes(json));

    public static void Shards(string weightMap, params (string File, string Tensors)[] shards)
    {
        ShardedIndex index = ShardedIndex.Parse(Encoding.UTF8.GetBytes($$$"""{"weight_map":{{{weightMap}}}}"""));
        index.Validate(shards.ToImmutableDictionary(shard => shard.File, shard => HeaderOf(shard.Tensors.Split(','))));
    }

    public static SafeTensorsHeader HeaderOf(string[] names)
    {
        byte[] header = Encoding.UTF8.GetBytes($"{{{string.Join(',', names.Select((name, i) => Entry(name, i, i + 1)))}}}");
        return SafeTensorsHeader.Parse(header, 8 + header.Length + names.Length);
    }
}
