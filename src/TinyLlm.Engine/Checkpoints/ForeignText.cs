using System.Globalization;
using System.Text;

namespace TinyLlm.Engine;

/// <summary>Text from a file, made fit for a message: cut, and without a character that could change how a terminal or log shows it.</summary>
internal static class ForeignText
{
    private const int MaxCharacters = 120;

    public static string Quote(string text) => $"'{Cut(text)}'";

    public static string Cut(string text)
    {
        StringBuilder shown = new(Math.Min(text.Length, MaxCharacters));
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (shown.Length >= MaxCharacters) return shown.Append("...").ToString();
            if (IsPlain(rune)) shown.Append(rune);
            else shown.Append(CultureInfo.InvariantCulture, $"\\u{{{rune.Value:x}}}");
        }
        return shown.ToString();
    }

    private static bool IsPlain(Rune rune) => rune.Value is >= 0x20 and < 0x7f && rune.Value != '\\';
}
