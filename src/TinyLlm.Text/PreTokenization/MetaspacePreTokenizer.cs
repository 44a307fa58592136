namespace TinyLlm.Text.PreTokenization;

/// <summary>Writes spaces as a visible character (usually U+2581), puts one before the text as the scheme says, and cuts before each if asked to.</summary>
internal sealed class MetaspacePreTokenizer(char replacement, PrependScheme scheme, bool split) : PreTokenizer
{
    public override void Apply(PreTokenizedText text)
    {
        text.Rewrite((piece, isFirst, result) =>
        {
            int start = result.Length;
            bool prepend = scheme == PrependScheme.Always || (scheme == PrependScheme.First && isFirst);
            if (prepend && piece[0] != ' ' && piece[0] != replacement) result.Append(replacement);
            result.Append(piece).Replace(' ', replacement, start, result.Length - start);
        });
        if (!split) return;
        text.Cut((piece, parts) =>
        {
            int start = 0;
            for (int at = 1; at <= piece.Length; at++)
            {
                if (at < piece.Length && piece[at] != replacement) continue;
                parts.Add((start, at));
                start = at;
            }
        });
    }
}
