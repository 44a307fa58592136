using System.Buffers.Binary;

namespace TinyLlm.Text.Files;

/// <summary>Walks the fields of one protobuf message. Every length is checked before it is used; groups, which nothing here has, are refused.</summary>
internal ref struct ProtobufReader(ReadOnlySpan<byte> message)
{
    private ReadOnlySpan<byte> rest = message;

    /// <summary>The next field; false at the end.</summary>
    public bool TryRead(out ProtobufField field)
    {
        field = default;
        if (rest.IsEmpty) return false;
        ulong tag = ReadVarint();
        int number = tag >> 3 is > 0 and <= 0x1FFF_FFFF ? (int)(tag >> 3) : throw Bad("a field's number is out of range");
        field = (tag & 7) switch
        {
            0 => new ProtobufField(number, ReadVarint(), []),
            1 => new ProtobufField(number, BinaryPrimitives.ReadUInt64LittleEndian(Take(8)), []),
            2 => new ProtobufField(number, 0, Take(ReadVarint())),
            5 => new ProtobufField(number, BinaryPrimitives.ReadUInt32LittleEndian(Take(4)), []),
            _ => throw Bad($"field {number} has the unknown wire type {tag & 7}"),
        };
        return true;
    }

    private ulong ReadVarint()
    {
        ulong value = 0;
        for (int shift = 0; shift < 64; shift += 7)
        {
            byte part = Take(1)[0];
            value |= (ulong)(part & 0x7F) << shift;
            if (part < 0x80) return value;
        }
        throw Bad("a number takes more than 10 bytes");
    }

    private ReadOnlySpan<byte> Take(ulong length)
    {
        if (length > (ulong)rest.Length) throw Bad($"a field of {length} bytes where {rest.Length} are left");
        ReadOnlySpan<byte> taken = rest[..(int)length];
        rest = rest[(int)length..];
        return taken;
    }

    private static TokenizerFormatException Bad(string why) => new(TokenizerFormatError.BadSentencePiece, $"the SentencePiece model is malformed: {why}");
}

/// <summary>One field: its number (fixed or varint) or its bytes.</summary>
internal readonly ref struct ProtobufField(int number, ulong value, ReadOnlySpan<byte> bytes)
{
    public int Number { get; } = number;

    public ulong Value { get; } = value;

    public ReadOnlySpan<byte> Bytes { get; } = bytes;
}
