using System.Globalization;
using System.Text;

namespace TinyLlm.SafeTensors;

/// <summary>
/// Unescapes the inside of a JSON string straight into the string that is kept, where Utf8JsonReader would first rent a buffer
/// as long as the escaped text. Expects valid UTF-8 whose JSON syntax has been checked; judges only surrogates.
/// </summary>
internal static class JsonText
{
    private const int UnicodeEscapeLength = 6;

    /// <summary>Decoded sizes, counted until <paramref name="utf8Bytes"/> passes <paramref name="utf8Limit"/>; false at a lone surrogate.</summary>
    public static bool TryMeasure(ReadOnlySpan<byte> escaped, long utf8Limit, out long utf8Bytes, out int utf16Units)
    {
        utf8Bytes = 0;
        utf16Units = 0;
        while (!escaped.IsEmpty && utf8Bytes <= utf8Limit)
        {
            int plain = PlainLength(escaped);
            utf8Bytes += plain;
            utf16Units += Encoding.UTF8.GetCharCount(escaped[..plain]);
            escaped = escaped[plain..];
            if (escaped.IsEmpty) break;
            if (!TryReadEscape(ref escaped, out Rune rune)) return false;
            utf8Bytes += rune.Utf8SequenceLength;
            utf16Units += rune.Utf16SequenceLength;
        }
        return true;
    }

    /// <summary>The decoded string; <paramref name="utf16Units"/> comes from a measurement that succeeded.</summary>
    public static string Decode(ReadOnlySpan<byte> escaped, int utf16Units) => string.Create(utf16Units, escaped, static (text, rest) =>
    {
        while (!rest.IsEmpty)
        {
            int plain = PlainLength(rest);
            text = text[Encoding.UTF8.GetChars(rest[..plain], text)..];
            rest = rest[plain..];
            if (!rest.IsEmpty && TryReadEscape(ref rest, out Rune rune)) text = text[rune.EncodeToUtf16(text)..];
        }
    });

    private static int PlainLength(ReadOnlySpan<byte> escaped)
    {
        int backslash = escaped.IndexOf((byte)'\\');
        return backslash < 0 ? escaped.Length : backslash;
    }

    private static bool TryReadEscape(ref ReadOnlySpan<byte> escaped, out Rune rune)
    {
        if (escaped[1] != 'u')
        {
            rune = new Rune(escaped[1] switch
            {
                (byte)'b' => '\b',
                (byte)'f' => '\f',
                (byte)'n' => '\n',
                (byte)'r' => '\r',
                (byte)'t' => '\t',
                byte itself => (char)itself,
            });
            escaped = escaped[2..];
            return true;
        }

        char unit = ReadUnit(escaped);
        escaped = escaped[UnicodeEscapeLength..];
        if (Rune.TryCreate(unit, out rune)) return true;
        bool paired = escaped.Length >= UnicodeEscapeLength && escaped[0] == '\\' && escaped[1] == 'u';
        if (!paired || !Rune.TryCreate(unit, ReadUnit(escaped), out rune)) return false;
        escaped = escaped[UnicodeEscapeLength..];
        return true;
    }

    /// <summary>The code unit of an escape by "\u" and four hexadecimal digits.</summary>
    private static char ReadUnit(ReadOnlySpan<byte> escape) =>
        (char)ushort.Parse(escape[2..UnicodeEscapeLength], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
