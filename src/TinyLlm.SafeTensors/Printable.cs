using System.Globalization;
using System.Text;

namespace TinyLlm.SafeTensors;

/// <summary>Foreign text made fit for a message: no control, format or separator characters, no lone surrogates, and never long.</summary>
internal static class Printable
{
    /// <summary>Characters of foreign text in a message before it is cut.</summary>
    public const int MaxCharacters = 120;

    /// <summary>The text escaped, cut and between single quotes.</summary>
    public static string Quote(string text) => $"'{Cut(text)}'";

    /// <summary>The text escaped and cut.</summary>
    public static string Cut(string text)
    {
        StringBuilder printable = new();
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (printable.Length >= MaxCharacters) return printable.Append('…').ToString();
            if (IsPlain(rune)) printable.Append(rune.ToString());
            else printable.Append(CultureInfo.InvariantCulture, $"\\u{{{rune.Value:x}}}");
        }
        return printable.ToString();
    }

    /// <summary>The same for the start of raw bytes, which need not be UTF-8.</summary>
    public static string Cut(ReadOnlySpan<byte> utf8) =>
        utf8.Length <= MaxCharacters ? Cut(Encoding.UTF8.GetString(utf8)) : Cut(Encoding.UTF8.GetString(utf8[..MaxCharacters])) + "…";

    private static bool IsPlain(Rune rune) => Rune.GetUnicodeCategory(rune) switch
    {
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator => false,
        UnicodeCategory.OtherNotAssigned or UnicodeCategory.PrivateUse or UnicodeCategory.Surrogate => false,
        _ => true,
    };
}
