using System.Text;
using TinyLlm.Text.Files;

namespace TinyLlm.Text.Normalization;

/// <summary>What SentencePiece does to a text: the character map, then spaces at the ends and in runs removed, one put before it, all made visible.</summary>
internal sealed class SentencePieceNormalizer(SentencePieceModel file) : Normalizer
{
    private const char Space = '\u2581';

    private readonly CharacterMap? map = file.CharacterMap.Length > 0 ? new CharacterMap(file.CharacterMap) : null;
    private readonly bool removeExtra = file.RemoveExtraWhitespaces;
    private readonly bool addPrefix = file.AddDummyPrefix;

    public override string Normalize(string text)
    {
        string mapped = map?.Normalize(text) ?? text;
        if (removeExtra) mapped = mapped.Trim(' ');
        if (mapped.Length == 0) return "";
        StringBuilder spaced = new(mapped.Length + 1);
        if (addPrefix) spaced.Append(Space);
        char previous = '\0';
        foreach (char c in mapped)
        {
            if (c != ' ') spaced.Append(c);
            else if (!removeExtra || previous != ' ') spaced.Append(Space);
            previous = c;
        }
        return spaced.ToString();
    }
}
