using System.Buffers.Binary;
using System.Text;

namespace TinyLlm.Text.Tests.Files;

/// <summary>Writes the fields of SentencePiece's ModelProto that matter, for tests.</summary>
internal sealed class ModelProtoWriter
{
    private readonly List<byte> bytes = [];

    public ModelProtoWriter Piece(string token, float score, int type)
    {
        ModelProtoWriter piece = new();
        piece.Bytes(1, Encoding.UTF8.GetBytes(token)).Float(2, score).Number(3, type);
        return Bytes(1, piece.ToArray());
    }

    public ModelProtoWriter Trainer(int modelType, bool byteFallback) =>
        Bytes(2, new ModelProtoWriter().Number(3, modelType).Number(35, byteFallback ? 1 : 0).ToArray());

    public ModelProtoWriter Normalizer(byte[] map, bool removeExtraWhitespaces) =>
        Bytes(3, new ModelProtoWriter().Bytes(2, map).Number(3, 1).Number(4, removeExtraWhitespaces ? 1 : 0).ToArray());

    public ModelProtoWriter Bytes(int field, byte[] value)
    {
        Varint((field << 3) | 2);
        Varint(value.Length);
        bytes.AddRange(value);
        return this;
    }

    public ModelProtoWriter Number(int field, int value)
    {
        Varint(field << 3);
        Varint(value);
        return this;
    }

    public byte[] ToArray() => [.. bytes];

    private void Float(int field, float value, Span<byte> raw)
    {
        Varint((field << 3) | 5);
        BinaryPrimitives.WriteSingleLittleEndian(raw, value);
        bytes.AddRange(raw);
    }

    private ModelProtoWriter Float(int field, float value)
    {
        Float(field, value, stackalloc byte[4]);
        return this;
    }

    private void Varint(int value)
    {
        for (; value >= 0x80; value >>= 7) bytes.Add((byte)(value | 0x80));
        bytes.Add((byte)value);
    }
}
