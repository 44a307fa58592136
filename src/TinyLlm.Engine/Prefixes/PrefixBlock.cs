namespace TinyLlm.Engine;

/// <summary>
/// Keys and values of a run of tokens, after exactly the runs that its parents hold. Owns a cache cut to its length. Knows no caller: the root of
/// its tree does.
/// </summary>
internal sealed class PrefixBlock(PrefixTree tree, PrefixBlock? parent, BlockIds ids, IKeyValueCache cache, long bytes)
{
    public PrefixTree Tree { get; } = tree;

    /// <summary>Null: it begins a prompt.</summary>
    public PrefixBlock? Parent { get; } = parent;

    public BlockIds Ids { get; } = ids;

    public IKeyValueCache Cache { get; } = cache;

    /// <summary>What is reserved for it.</summary>
    public long Bytes { get; } = bytes;

    public Dictionary<BlockIds, PrefixBlock> Children { get; } = [];

    public long UsedAt { get; set; }
}
