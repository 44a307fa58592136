using System.Globalization;
using System.Text;

namespace TinyLlm.Text.Normalization;

/// <summary>The first step of BERT's normalizer: drops control characters and makes all white space a space.</summary>
internal sealed class CleanTextNormalizer : Normalizer
{
    public override string Normalize(string text)
    {
        StringBuilder clean = new(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (rune.Value is '\t' or '\n' or '\r') clean.Append(' ');
            else if (IsDropped(rune)) continue;
            else if (Rune.IsWhiteSpace(rune)) clean.Append(' ');
            else clean.Append(rune);
        }
        return clean.ToString();
    }

    private static bool IsDropped(Rune rune) => rune.Value is 0 or 0xFFFD || Rune.GetUnicodeCategory(rune)
        is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned;
}
