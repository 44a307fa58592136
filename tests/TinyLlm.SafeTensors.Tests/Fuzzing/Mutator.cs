using System.Buffers.Binary;
using System.Text;

namespace TinyLlm.SafeTensors.Tests.Fuzzing;

/// <summary>Changes a file's bytes. Most changes keep the length prefix true, or nothing behind it would ever be reached.</summary>
internal static class Mutator
{
    // The borders of every rule about numbers.
    private static readonly byte[][] s_numbers =
    [
        .. new[]
        {
            "0", "1", "-0", "-1", "1.0", "1e1", "01", "281474976710655", "281474976710656", "18446744073709551615", "18446744073709551616",
            "9223372036854775808", "99999999999999999999999",
        }.Select(Encoding.UTF8.GetBytes),
    ];

    // What else a JSON header can be hurt with: JSON's own punctuation, names, dtypes, bytes that are not UTF-8.
    private static readonly byte[][] s_fragments =
    [
        .. s_numbers,
        .. new[]
        {
            "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u0000", "\\ud800", "\\udc00", "\\u0061", "..", "__metadata__", "dtype", "shape",
            "data_offsets", "F32", "F4", "F6_E2M3", "BOOL", "f32", "null", "true", " ", "\n", "\t", "/*", "//",
            "\"x\":\"y\",", "\"dtype\":\"U8\",", "\"__metadata__\":{},", "\ufeff",
        }.Select(Encoding.UTF8.GetBytes),
        [0x80], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xff], [0x00], [0x7f],
    ];

    /// <summary>The file after <paramref name="changes"/> random changes.</summary>
    public static byte[] Mutate(byte[] file, int changes, FuzzRandom random)
    {
        for (int i = 0; i < changes; i++) file = Change(file, random);
        return file;
    }

    private static byte[] Change(byte[] file, FuzzRandom random)
    {
        int headerBytes = file.Length < 8 ? 0 : (int)Math.Min(BinaryPrimitives.ReadUInt64LittleEndian(file), (ulong)(file.Length - 8));
        switch (random.Below(16))
        {
            case 0:
                return FlipBit(file, 0, file.Length, random);
            case 1:
                return file[..random.Below(file.Length + 1)];
            case 2:
                return [.. file, .. new byte[1 + random.Below(9)]];
            case 3 when headerBytes > 0:
                return FlipBit(file, 8, headerBytes, random);
            case 4 or 5 when headerBytes > 0:
                return ReplaceNumber(file, headerBytes, random);
            case 6 when headerBytes > 0:
                return Splice(file, headerBytes, 8 + random.Below(headerBytes), 1 + random.Below(8), [], random);
            case 7 when headerBytes > 0:
                int from = 8 + random.Below(headerBytes);
                int length = Math.Min(1 + random.Below(80), 8 + headerBytes - from);
                return Splice(file, headerBytes, 8 + random.Below(headerBytes), 0, file[from..(from + length)], random);
            case 8 when headerBytes > 0:
                return Splice(file, headerBytes, 8 + headerBytes, 0, random.Pick(s_fragments), random);
            case 9 when random.OnceIn(4):
                return Splice(file, headerBytes, Math.Min(8, file.Length), 0, random.Pick(s_fragments), random);
            case 10 when headerBytes > 0:
                file[8 + random.Below(headerBytes)] = (byte)random.Next();
                return file;
            default:
                int at = Math.Min(8, file.Length) + random.Below(headerBytes + 1);
                return Splice(file, headerBytes, at, random.Below(4), random.Pick(s_fragments), random);
        }
    }

    private static byte[] FlipBit(byte[] file, int from, int length, FuzzRandom random)
    {
        if (length > 0) file[from + random.Below(length)] ^= (byte)(1 << random.Below(8));
        return file;
    }

    private static byte[] ReplaceNumber(byte[] file, int headerBytes, FuzzRandom random)
    {
        int end = 8 + headerBytes;
        int from = 8 + random.Below(headerBytes);
        int digit = file.AsSpan(from..end).IndexOfAnyInRange((byte)'0', (byte)'9');
        int begin = digit < 0 ? from : from + digit;
        int length = 0;
        while (begin + length < end && char.IsAsciiDigit((char)file[begin + length])) length++;
        byte[] number = random.OnceIn(2) ? random.Pick(s_numbers) : Encoding.ASCII.GetBytes(random.Below(70).ToString());
        return Splice(file, headerBytes, begin, length, number, random);
    }

    /// <summary>Replaces bytes of the header and, mostly, corrects the length prefix.</summary>
    private static byte[] Splice(byte[] file, int headerBytes, int at, int remove, byte[] insert, FuzzRandom random)
    {
        remove = Math.Min(remove, Math.Max(0, Math.Min(8 + headerBytes, file.Length) - at));
        byte[] changed = [.. file.AsSpan(0, at), .. insert, .. file.AsSpan(at + remove)];
        if (changed.Length < 8 || random.OnceIn(16)) return changed;
        BinaryPrimitives.WriteUInt64LittleEndian(changed, (ulong)Math.Max(0, headerBytes + insert.Length - remove));
        return changed;
    }
}
