using System.Text;

namespace TinyLlm.Text.Normalization;

/// <summary>Lower case, character by character, as the reference does: no final sigma, and the one lower case that is two characters.</summary>
internal sealed class LowercaseNormalizer : Normalizer
{
    private const int CapitalDottedI = 0x130;

    public override string Normalize(string text)
    {
        StringBuilder lower = new(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (rune.Value == CapitalDottedI) lower.Append("i\u0307");
            else lower.Append(Rune.ToLowerInvariant(rune));
        }
        return lower.ToString();
    }
}
