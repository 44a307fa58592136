using System.Globalization;
using System.Text;

namespace TinyLlm.Text.Normalization;

/// <summary>Drops marks that take no space of their own. Composed letters keep theirs: a file that wants them gone decomposes first.</summary>
internal sealed class StripAccentsNormalizer : Normalizer
{
    public override string Normalize(string text)
    {
        StringBuilder kept = new(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (Rune.GetUnicodeCategory(rune) != UnicodeCategory.NonSpacingMark) kept.Append(rune);
        }
        return kept.ToString();
    }
}
