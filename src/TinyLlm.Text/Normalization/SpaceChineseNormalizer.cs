using System.Text;

namespace TinyLlm.Text.Normalization;

/// <summary>The second step of BERT's normalizer: puts spaces round each CJK ideograph, so that each is a word.</summary>
internal sealed class SpaceChineseNormalizer : Normalizer
{
    public override string Normalize(string text)
    {
        StringBuilder spaced = new(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (IsIdeograph(rune.Value)) spaced.Append(' ').Append(rune).Append(' ');
            else spaced.Append(rune);
        }
        return spaced.ToString();
    }

    /// <summary>The blocks that BERT's own code lists; it treats U+2B920 like the reference does.</summary>
    private static bool IsIdeograph(int point) => point is (>= 0x4E00 and <= 0x9FFF) or (>= 0x3400 and <= 0x4DBF) or (>= 0x20000 and <= 0x2A6DF)
        or (>= 0x2A700 and <= 0x2B73F) or (>= 0x2B740 and <= 0x2B81F) or (>= 0x2B920 and <= 0x2CEAF) or (>= 0xF900 and <= 0xFAFF)
        or (>= 0x2F800 and <= 0x2FA1F);
}
