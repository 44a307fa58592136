namespace TinyLlm.Text.Patterns;

/// <summary>Finds the parts of a text that a pattern matches. Safe for concurrent use.</summary>
internal abstract class PieceMatcher
{
    /// <summary>The first match that begins at or after <paramref name="from"/>, or null. An empty match is possible.</summary>
    public abstract (int Start, int End)? Find(ReadOnlySpan<char> text, int from, ref long steps);

    /// <summary>All matches from left to right, each after the end of the one before; steps are bounded by the text's length.</summary>
    public void FindAll(ReadOnlySpan<char> text, List<(int Start, int End)> matches)
    {
        // Patterns in use take about 10 steps a character; what needs more than this is a trap.
        long steps = (256L * text.Length) + 65_536;
        for (int from = 0; from <= text.Length && Find(text, from, ref steps) is { } match;)
        {
            matches.Add(match);
            from = match.End > match.Start ? match.End : match.End + CharsAt(text, match.End);
        }
    }

    /// <summary>Chars of the code point at <paramref name="at"/>; 1 at the end of the text.</summary>
    protected static int CharsAt(ReadOnlySpan<char> text, int at) => at + 1 < text.Length && char.IsSurrogatePair(text[at], text[at + 1]) ? 2 : 1;

    protected static TokenizerFormatException TooSlow() =>
        new(TokenizerFormatError.PatternTooSlow, "a regular expression of the tokenizer takes too many steps on this text");
}
