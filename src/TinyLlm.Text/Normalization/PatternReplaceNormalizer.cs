using System.Text;
using TinyLlm.Text.Patterns;

namespace TinyLlm.Text.Normalization;

/// <summary>Replaces each match of a regular expression by a string (taken literally).</summary>
internal sealed class PatternReplaceNormalizer(PieceMatcher pattern, string content) : Normalizer
{
    public override string Normalize(string text)
    {
        List<(int Start, int End)> matches = [];
        pattern.FindAll(text, matches);
        TokenizerLimits.CheckGrowth(text.Length + ((long)matches.Count * content.Length), text.Length);
        StringBuilder replaced = new(text.Length);
        int done = 0;
        foreach ((int start, int end) in matches)
        {
            replaced.Append(text, done, start - done).Append(content);
            done = end;
        }
        return replaced.Append(text, done, text.Length - done).ToString();
    }
}
