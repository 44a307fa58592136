namespace TinyLlm.Text.Normalization;

/// <summary>Rewrites text before it is cut into pieces. Input and output are well-formed UTF-16. Safe for concurrent use.</summary>
internal abstract class Normalizer
{
    public abstract string Normalize(string text);
}
