namespace TinyLlm.Text.Constraints;

/// <summary>
/// Which tokens without a quotation mark go on a string, by the place in the string. Such a place allows almost the whole vocabulary, so these masks are the
/// dear ones, and they return: they are kept, and forgotten all at once when they exceed their bound. Safe for concurrent use.
/// </summary>
internal sealed class TextMasks(ByteTrie tokens, int vocabularySize, int longestToken)
{
    private readonly Dictionary<StringCursor, ulong[]> _masks = [];
    private readonly Lock _lock = new();

    public ulong[] Of(StringCursor cursor)
    {
        StringCursor key = cursor.Key(longestToken);
        lock (_lock)
        {
            if (_masks.TryGetValue(key, out ulong[]? known)) return known;
        }
        ulong[] mask = new ulong[TokenMask.Words(vocabularySize)];
        Walk(0, tokens.Nodes, cursor, mask);
        lock (_lock)
        {
            if (_masks.Count >= Math.Max(4, ConstraintLimits.MaxMaskBytes / (mask.Length * sizeof(ulong)))) _masks.Clear();
            _masks[key] = mask;
        }
        return mask;
    }

    private void Walk(int from, int to, StringCursor cursor, Span<ulong> mask)
    {
        for (int node = from; node < to; node = tokens.End(node))
        {
            if (!cursor.TryStep(tokens.Value(node), out StringCursor next)) continue;
            TokenMask.Add(mask, tokens.Tokens(node));
            if (node + 1 < tokens.End(node)) Walk(node + 1, tokens.End(node), next, mask);
        }
    }
}
