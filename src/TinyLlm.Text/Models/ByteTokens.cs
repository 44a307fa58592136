using System.Globalization;

namespace TinyLlm.Text.Models;

/// <summary>The tokens <c>&lt;0x00&gt;</c> to <c>&lt;0xFF&gt;</c>, by which a model with byte fallback spells characters that it has no token for.</summary>
internal static class ByteTokens
{
    private const int TokenChars = 6;

    public static string Name(byte value) => string.Create(CultureInfo.InvariantCulture, $"<0x{value:X2}>");

    /// <summary>Two hexadecimal digits of either case, as the reference reads them.</summary>
    public static bool TryParse(string token, out byte value)
    {
        value = 0;
        return token.Length == TokenChars && token.StartsWith("<0x", StringComparison.Ordinal) && token[^1] == '>'
            && byte.TryParse(token.AsSpan(3, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
    }

    /// <summary>The id of each byte's token, by byte; null where there is none.</summary>
    public static int?[] FindAll(Vocabulary vocabulary) => [.. Enumerable.Range(0, 256).Select(value => vocabulary.Find(Name((byte)value)))];
}
