namespace TinyLlm.Text.Constraints;

/// <summary>The names of an object's properties, by code points; each node knows which names lie below it.</summary>
internal sealed class KeyTrie
{
    private readonly List<SortedList<int, int>> _children = [[]];
    private readonly List<int?> _names = [null];
    private readonly List<KeySet> _below = [];

    public KeyTrie(IReadOnlyList<string> names)
    {
        List<List<int>> below = [[]];
        for (int index = 0; index < names.Count; index++)
        {
            int node = 0;
            below[0].Add(index);
            foreach (System.Text.Rune rune in names[index].EnumerateRunes())
            {
                if (!_children[node].TryGetValue(rune.Value, out int child))
                {
                    child = _children.Count;
                    _children[node].Add(rune.Value, child);
                    _children.Add([]);
                    _names.Add(null);
                    below.Add([]);
                }
                node = child;
                below[node].Add(index);
            }
            _names[node] = index;
        }
        foreach (List<int> indices in below) _below.Add(KeySet.Of(names.Count, indices));
    }

    /// <summary>Children by code point, sorted.</summary>
    public SortedList<int, int> Children(int node) => _children[node];

    /// <summary>The property whose name ends at the node.</summary>
    public int? Name(int node) => _names[node];

    public KeySet Below(int node) => _below[node];
}
