namespace TinyLlm.Text.Normalization;

/// <summary>Replaces each occurrence of a string by another.</summary>
internal sealed class ReplaceNormalizer(string pattern, string content) : Normalizer
{
    public override string Normalize(string text)
    {
        if (content.Length > pattern.Length)
        {
            long found = text.AsSpan().Count(pattern);
            TokenizerLimits.CheckGrowth(text.Length + (found * (content.Length - pattern.Length)), text.Length);
        }
        return text.Replace(pattern, content, StringComparison.Ordinal);
    }
}
