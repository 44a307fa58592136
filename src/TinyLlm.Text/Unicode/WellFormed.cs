using System.Text;

namespace TinyLlm.Text.Unicode;

/// <summary>Makes any string encodable as UTF-8.</summary>
internal static class WellFormed
{
    /// <summary>The text with each lone surrogate replaced by U+FFFD, as every UTF-8 encoder does; the same instance when there is none.</summary>
    public static string Replace(string text)
    {
        int at = FirstLoneSurrogate(text);
        if (at < 0) return text;
        StringBuilder fixedText = new(text.Length);
        fixedText.Append(text, 0, at);
        foreach (Rune rune in text.AsSpan(at).EnumerateRunes()) fixedText.Append(rune);
        return fixedText.ToString();
    }

    private static int FirstLoneSurrogate(ReadOnlySpan<char> text)
    {
        for (int at = 0; at < text.Length; at++)
        {
            int skipped = text[at..].IndexOfAnyInRange('\uD800', '\uDFFF');
            if (skipped < 0) return -1;
            at += skipped;
            if (at + 1 == text.Length || !char.IsSurrogatePair(text[at], text[at + 1])) return at;
            at++;
        }
        return -1;
    }
}
