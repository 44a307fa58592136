namespace TinyLlm.Text.Normalization;

/// <summary>Normalizers one after the other; an empty sequence changes nothing.</summary>
internal sealed class NormalizerSequence(IReadOnlyList<Normalizer> steps) : Normalizer
{
    public override string Normalize(string text)
    {
        int length = text.Length;
        foreach (Normalizer step in steps)
        {
            text = step.Normalize(text);
            TokenizerLimits.CheckGrowth(text.Length, length);
        }
        return text;
    }
}
