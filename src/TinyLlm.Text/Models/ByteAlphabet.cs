using System.Text;

namespace TinyLlm.Text.Models;

/// <summary>
/// GPT-2's way to write bytes as visible characters: printable Latin-1 stands for itself, the other 68 bytes for U+0100 onwards.
/// </summary>
internal static class ByteAlphabet
{
    private static readonly char[] CharOfByte = Build();
    private static readonly byte?[] ByteOfChar = Invert();

    public static void AppendBytes(ReadOnlySpan<char> text, StringBuilder result)
    {
        foreach (char c in text)
        {
            if (c >= 128)
            {
                AppendWide(text, result);
                return;
            }
        }
        foreach (char c in text) result.Append(CharOfByte[c]);
    }

    /// <summary>The byte that a character stands for, or null when it stands for none.</summary>
    public static byte? ByteOf(char c) => c < ByteOfChar.Length ? ByteOfChar[c] : null;

    private static void AppendWide(ReadOnlySpan<char> text, StringBuilder result)
    {
        Span<byte> utf8 = stackalloc byte[4];
        foreach (Rune rune in text.EnumerateRunes())
        {
            foreach (byte value in utf8[..rune.EncodeToUtf8(utf8)]) result.Append(CharOfByte[value]);
        }
    }

    private static char[] Build()
    {
        char[] chars = new char[256];
        int others = 0;
        for (int value = 0; value < chars.Length; value++)
        {
            bool standsForItself = value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
            chars[value] = standsForItself ? (char)value : (char)(0x100 + others++);
        }
        return chars;
    }

    private static byte?[] Invert()
    {
        byte?[] bytes = new byte?[CharOfByte.Max() + 1];
        for (int value = 0; value < CharOfByte.Length; value++) bytes[CharOfByte[value]] = (byte)value;
        return bytes;
    }
}
