using System.Text;

namespace TinyLlm.Text.Patterns;

/// <summary>Finds single characters of a kind.</summary>
internal sealed class CharacterMatcher(Func<Rune, bool> isOfKind) : PieceMatcher
{
    public override (int Start, int End)? Find(ReadOnlySpan<char> text, int from, ref long steps)
    {
        while (from < text.Length)
        {
            Rune.DecodeFromUtf16(text[from..], out Rune rune, out int length);
            if (isOfKind(rune)) return (from, from + length);
            from += length;
        }
        return null;
    }
}
