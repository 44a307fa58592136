namespace TinyLlm.Text.Models;

/// <summary>Tokens by their characters, to find all that begin at a place of a text in one walk.</summary>
internal sealed class TokenTrie
{
    private readonly Dictionary<ulong, int> edges = [];
    private readonly List<int?> ids = [null];

    public void Add(string token, int id)
    {
        int node = 0;
        foreach (char c in token)
        {
            ulong edge = Edge(node, c);
            if (!edges.TryGetValue(edge, out int child))
            {
                child = ids.Count;
                ids.Add(null);
                edges.Add(edge, child);
            }
            node = child;
        }
        ids[node] = id;
    }

    /// <summary>Goes from a node (the first is 0) by a character; false when no token goes on so.</summary>
    public bool TryStep(ref int node, char c) => edges.TryGetValue(Edge(node, c), out node);

    /// <summary>The token that ends at a node, or null.</summary>
    public int? IdAt(int node) => ids[node];

    private static ulong Edge(int node, char c) => ((ulong)(uint)node << 16) | c;
}
