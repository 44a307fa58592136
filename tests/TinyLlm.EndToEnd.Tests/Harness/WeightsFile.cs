using System.Text;
using System.Text.Json.Nodes;

namespace TinyLlm.EndToEnd.Tests.Harness;

/// <summary>A SafeTensors file taken apart so that a test can break it: shares no code with the reader that has to find the fault.</summary>
internal sealed class WeightsFile
{
    private readonly JsonObject header;
    private byte[] data;

    private WeightsFile(JsonObject header, byte[] data)
    {
        this.header = header;
        this.data = data;
    }

    /// <summary>The tensor whose bytes come last.</summary>
    public string LastTensor => TensorNames.MaxBy(name => End(Tensor(name)))!;

    public IEnumerable<string> TensorNames => header.Select(pair => pair.Key).Where(name => name != "__metadata__");

    public static WeightsFile Parse(byte[] file)
    {
        int headerBytes = (int)BitConverter.ToUInt64(file);
        return new WeightsFile(JsonNode.Parse(Encoding.UTF8.GetString(file, 8, headerBytes))!.AsObject(), file[(8 + headerBytes)..]);
    }

    public JsonObject Tensor(string name) => header[name]!.AsObject();

    /// <summary>Where a tensor's bytes lie in the data.</summary>
    public Span<byte> BytesOf(string tensor) => data.AsSpan(Begin(Tensor(tensor)), End(Tensor(tensor)) - Begin(Tensor(tensor)));

    /// <summary>Removes the last tensor with its bytes, so that the rest is well formed.</summary>
    public WeightsFile WithoutLast()
    {
        string last = LastTensor;
        data = data[..Begin(Tensor(last))];
        header.Remove(last);
        return this;
    }

    /// <summary>Adds a tensor at the end.</summary>
    public WeightsFile With(string name, int floats)
    {
        int begin = data.Length;
        data = [.. data, .. new byte[floats * 4]];
        header[name] = new JsonObject { ["dtype"] = "F32", ["shape"] = new JsonArray(floats), ["data_offsets"] = new JsonArray(begin, data.Length) };
        return this;
    }

    /// <summary>Adds a line of text of its own to the header.</summary>
    public WeightsFile WithMetadata(string name, string text)
    {
        header["__metadata__"] = new JsonObject { [name] = text };
        return this;
    }

    /// <summary>Moves a tensor's claim on bytes.</summary>
    public WeightsFile Shift(string tensor, int bytes)
    {
        JsonObject entry = Tensor(tensor);
        entry["data_offsets"] = new JsonArray(Begin(entry) + bytes, End(entry) + bytes);
        return this;
    }

    public byte[] ToBytes() => Write(header, data);

    /// <summary>A file of some of the tensors.</summary>
    public byte[] Only(IEnumerable<string> tensors)
    {
        JsonObject some = [];
        List<byte> bytes = [];
        foreach (string name in tensors)
        {
            JsonObject entry = Tensor(name).DeepClone().AsObject();
            int begin = bytes.Count;
            bytes.AddRange(BytesOf(name));
            entry["data_offsets"] = new JsonArray(begin, bytes.Count);
            some[name] = entry;
        }
        return Write(some, [.. bytes]);
    }

    private static byte[] Write(JsonObject header, byte[] data)
    {
        byte[] json = Encoding.UTF8.GetBytes(header.ToJsonString());
        return [.. BitConverter.GetBytes((ulong)json.Length), .. json, .. data];
    }

    private static int Begin(JsonNode tensor) => (int)tensor["data_offsets"]![0]!;

    private static int End(JsonNode tensor) => (int)tensor["data_offsets"]![1]!;
}
