using System.Text;
using TinyLlm.Text.Unicode;

namespace TinyLlm.Text.Normalization;

/// <summary>One of Unicode's normalization forms.</summary>
internal sealed class FormNormalizer(NormalizationForm form) : Normalizer
{
    public override string Normalize(string text) => UnicodeForm.Apply(text, form);
}
