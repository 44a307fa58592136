namespace TinyLlm.Text.Patterns;

/// <summary>Finds a string that is not empty.</summary>
internal sealed class LiteralMatcher(string literal) : PieceMatcher
{
    public override (int Start, int End)? Find(ReadOnlySpan<char> text, int from, ref long steps)
    {
        int at = text[from..].IndexOf(literal);
        return at < 0 ? null : (from + at, from + at + literal.Length);
    }
}
