namespace TinyLlm.Text.Constraints;

/// <summary>Objects: named properties, some of them required, and others where a shape for these is given.</summary>
internal sealed class ObjectShape
{
    private readonly Dictionary<string, int> _indices = new(StringComparer.Ordinal);

    public ObjectShape(IReadOnlyList<string> names, IReadOnlyList<ValueShape> shapes, KeySet required, ValueShape others, int minProperties, int? maxProperties)
    {
        (Names, Shapes, Required, Others, MinProperties, MaxProperties) = (names, shapes, required, others, minProperties, maxProperties);
        for (int index = 0; index < names.Count; index++) _indices.Add(names[index], index);
        Trie = new KeyTrie(names);
    }

    public IReadOnlyList<string> Names { get; }

    public IReadOnlyList<ValueShape> Shapes { get; }

    public KeySet Required { get; }

    /// <summary>Of properties without a name here.</summary>
    public ValueShape Others { get; }

    public int MinProperties { get; }

    public int? MaxProperties { get; }

    public KeyTrie Trie { get; }

    /// <summary>1 for an object that can be empty; one more than its required properties' where it can't.</summary>
    public int LeastDepth { get; set; } = ValueShape.Never;

    public int? IndexOf(string name) => _indices.TryGetValue(name, out int index) ? index : null;

    /// <summary>The properties whose values fit at <paramref name="depth"/>.</summary>
    public KeySet Fitting(int depth) => KeySet.Of(Names.Count, Enumerable.Range(0, Names.Count).Where(index => Shapes[index].Fits(depth)));
}
