using TinyLlm.Text.Unicode;

namespace TinyLlm.Text.Normalization;

/// <summary>Takes white space off the ends of each text between added tokens.</summary>
internal sealed class StripNormalizer(bool left, bool right) : Normalizer
{
    public override string Normalize(string text)
    {
        if (left) text = text[WordCharacters.LeadingWhiteSpace(text)..];
        return right ? text[..^WordCharacters.TrailingWhiteSpace(text)] : text;
    }
}
