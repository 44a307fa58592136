using System.Buffers;

namespace TinyLlm.Text.AddedTokens;

/// <summary>Finds added tokens in a text: of the matches that begin first, the longest; then on from its end.</summary>
internal sealed class AddedTokenTrie
{
    private readonly List<Node> nodes = [new()];
    private readonly Dictionary<(int Node, char Next), int> edges = [];
    private SearchValues<char> firstChars = SearchValues.Create("");

    public bool IsEmpty => nodes.Count == 1;

    /// <summary>Adds a token under the text by which it is found; the first of two tokens with the same text wins.</summary>
    public void Add(string text, AddedToken token)
    {
        int node = 0;
        foreach (char c in text)
        {
            if (!edges.TryGetValue((node, c), out int child))
            {
                child = nodes.Count;
                nodes.Add(new Node());
                edges.Add((node, c), child);
            }
            node = child;
        }
        nodes[node].Token ??= token;
    }

    /// <summary>Call once, after the last <see cref="Add"/>.</summary>
    public void Seal() => firstChars = SearchValues.Create(edges.Keys.Where(edge => edge.Node == 0).Select(edge => edge.Next).ToArray());

    /// <summary>The next match at or after <paramref name="from"/>, or null.</summary>
    public (AddedToken Token, int Start, int End)? Find(ReadOnlySpan<char> text, int from)
    {
        while (from < text.Length)
        {
            int skipped = text[from..].IndexOfAny(firstChars);
            if (skipped < 0) return null;
            from += skipped;
            if (LongestAt(text, from) is { } match) return (match.Token, from, match.End);
            from++;
        }
        return null;
    }

    private (AddedToken Token, int End)? LongestAt(ReadOnlySpan<char> text, int start)
    {
        (AddedToken, int)? longest = null;
        int node = 0;
        for (int at = start; at < text.Length && edges.TryGetValue((node, text[at]), out node);)
        {
            at++;
            if (nodes[node].Token is { } token) longest = (token, at);
        }
        return longest;
    }

    private sealed class Node
    {
        public AddedToken? Token { get; set; }
    }
}
