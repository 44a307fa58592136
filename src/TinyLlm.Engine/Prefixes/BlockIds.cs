namespace TinyLlm.Engine;

/// <summary>The ids of one block, compared one by one: a hash alone would let one text pass for another.</summary>
internal readonly struct BlockIds(ReadOnlyMemory<int> ids) : IEquatable<BlockIds>
{
    private readonly ReadOnlyMemory<int> _ids = ids;

    /// <summary>The same ids in memory of their own.</summary>
    public BlockIds Copy() => new(_ids.ToArray());

    public bool Equals(BlockIds other) => _ids.Span.SequenceEqual(other._ids.Span);

    public override bool Equals(object? obj) => obj is BlockIds other && Equals(other);

    public override int GetHashCode()
    {
        HashCode hash = default;
        foreach (int id in _ids.Span) hash.Add(id);
        return hash.ToHashCode();
    }
}
