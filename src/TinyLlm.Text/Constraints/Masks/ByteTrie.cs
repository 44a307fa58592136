namespace TinyLlm.Text.Constraints;

/// <summary>
/// Tokens by their bytes, as a trie laid out in preorder: a node's first child is the next node, and its <see cref="End"/> is where its sibling stands. So
/// whole subtrees are skipped by an index.
/// </summary>
internal sealed class ByteTrie
{
    private readonly byte[] _values;
    private readonly int[] _ends, _firstTokens, _tokens;

    /// <param name="tokens">Bytes, at least one, and id.</param>
    public ByteTrie(IEnumerable<(byte[] Bytes, int Id)> tokens)
    {
        (byte[] Bytes, int Id)[] sorted = [.. tokens];
        Array.Sort(sorted, (a, b) => a.Bytes.AsSpan().SequenceCompareTo(b.Bytes) is var order and not 0 ? order : a.Id.CompareTo(b.Id));
        List<byte> values = [];
        List<int> ends = [], firstTokens = [];
        List<int> open = []; // nodes of the last token's bytes
        byte[] last = [];
        for (int token = 0; token < sorted.Length; token++)
        {
            byte[] bytes = sorted[token].Bytes;
            int shared = bytes.AsSpan().CommonPrefixLength(last);
            Close(shared);
            for (int at = shared; at < bytes.Length; at++)
            {
                open.Add(values.Count);
                values.Add(bytes[at]);
                ends.Add(0);
                firstTokens.Add(token);
            }
            last = bytes;
        }
        Close(0);
        firstTokens.Add(sorted.Length);
        (_values, _ends, _firstTokens, _tokens) = ([.. values], [.. ends], [.. firstTokens], [.. sorted.Select(token => token.Id)]);

        void Close(int keep)
        {
            for (int i = keep; i < open.Count; i++) ends[open[i]] = values.Count;
            open.RemoveRange(keep, open.Count - keep);
        }
    }

    public int Nodes => _values.Length;

    public byte Value(int node) => _values[node];

    /// <summary>One more than the last node of the subtree.</summary>
    public int End(int node) => _ends[node];

    /// <summary>The ids of the tokens that end at the node.</summary>
    public ReadOnlySpan<int> Tokens(int node) => _tokens.AsSpan(_firstTokens[node], _firstTokens[node + 1] - _firstTokens[node]);
}
