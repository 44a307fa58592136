namespace TinyLlm.Text.Decoding;

/// <summary>Puts a space before each token but the first and those that continue a word; <paramref name="cleanUp"/> also closes up English punctuation.</summary>
internal sealed class WordPieceStage(DecodeStage next, string prefix, bool cleanUp) : DecodeStage(next)
{
    private static readonly (string Spaced, string Closed)[] Closings =
    [
        (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"), (" do not", " don't"), (" 's", "'s"),
        (" 've", "'ve"), (" 're", "'re"),
    ];

    private bool isFirst = true;

    public override void Push(string text)
    {
        if (!isFirst) text = prefix.Length > 0 && text.StartsWith(prefix, StringComparison.Ordinal) ? text[prefix.Length..] : " " + text;
        isFirst = false;
        foreach ((string spaced, string closed) in cleanUp ? Closings : []) text = text.Replace(spaced, closed, StringComparison.Ordinal);
        Next.Push(text);
    }
}
