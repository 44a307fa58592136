using System.Buffers.Binary;
using System.Text;

namespace TinyLlm.SafeTensors.Tests.Fuzzing;

/// <summary>Files put together from text, without the writer under test.</summary>
internal static class FileText
{
    /// <summary>A file of a header as it stands and <paramref name="dataBytes"/> bytes 0, 1, 2, ...</summary>
    public static byte[] File(string header, int dataBytes) => File(Encoding.UTF8.GetBytes(header), dataBytes);

    /// <summary>The same for a header that need not be text.</summary>
    public static byte[] File(ReadOnlySpan<byte> header, int dataBytes)
    {
        byte[] file = new byte[8 + header.Length + dataBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(file, (ulong)header.Length);
        header.CopyTo(file.AsSpan(8));
        for (int i = 0; i < dataBytes; i++) file[8 + header.Length + i] = (byte)i;
        return file;
    }

    /// <summary>A tensor's entry; <paramref name="name"/> is JSON text already.</summary>
    public static string Entry(string name, string dtype, string shape, string offsets) =>
        $$"""
        "{{name}}":{"dtype":"{{dtype}}","shape":[{{shape}}],"data_offsets":[{{offsets}}]}
        """;

    /// <summary>A header of <paramref name="count"/> one-byte tensors with names of at least <paramref name="nameLength"/> characters.</summary>
    public static byte[] ManyTensors(int count, int nameLength) =>
        Encoding.ASCII.GetBytes($"{{{string.Join(',', Tensors(count, nameLength, "1"))}}}");

    /// <summary>A header of <paramref name="count"/> metadata entries with values of <paramref name="valueLength"/> characters.</summary>
    public static byte[] ManyMetadataEntries(int count, int valueLength) => Encoding.ASCII.GetBytes($"{{{Metadata(count, valueLength)}}}");

    /// <summary>As many tensors, dimensions, metadata entries and characters as are legal at once; data are a byte for each tensor.</summary>
    public static byte[] EverythingAtItsBound()
    {
        string metadata = Metadata(SafeTensorsLimits.MaxMetadataEntries, valueLength: 8);
        const int NameLength = (SafeTensorsLimits.MaxTextBytes - (12 * SafeTensorsLimits.MaxMetadataEntries)) / SafeTensorsLimits.MaxTensors;
        return Encoding.ASCII.GetBytes($"{{{metadata},{string.Join(',', Tensors(SafeTensorsLimits.MaxTensors, NameLength, "1,1,1,1,1,1,1,1"))}}}");
    }

    private static IEnumerable<string> Tensors(int count, int nameLength, string shape) =>
        Enumerable.Range(0, count).Select(i => Entry(i.ToString("x").PadLeft(nameLength, 'n'), "U8", shape, $"{i},{i + 1}"));

    private static string Metadata(int count, int valueLength)
    {
        string value = new('v', valueLength);
        return $$"""
            "__metadata__":{{{string.Join(',', Enumerable.Range(0, count).Select(i => $"\"{i:x}\":\"{value}\""))}}}
            """;
    }
}
