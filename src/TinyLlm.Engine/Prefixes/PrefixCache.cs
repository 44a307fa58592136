namespace TinyLlm.Engine;

/// <summary>
/// Keys and values of texts that a caller sent or got before, in blocks, so that a prompt that begins alike is not computed again. Trees are by
/// caller and resident model, never shared: a hit would tell one caller what another said. What a client sends can't choose the tree. Blocks are
/// copies with bytes reserved on the device's budget, and the first to go, least recently used first, when anything else needs these bytes. The
/// loop's thread owns it.
/// </summary>
/// <remarks>
/// A use marks a chain from its end to its beginning, so a block is always used more recently than those after it, and the least recently used one
/// has none after it.
/// </remarks>
internal sealed class PrefixCache(DeviceLoopOptions options, ByteBudget budget, TimeProvider time)
{
    /// <summary>Tokens of a block. vLLM's default.</summary>
    public const int BlockTokens = 16;

    private readonly Dictionary<(ResidentModel Model, string Caller), PrefixTree> _trees = [];
    private readonly LinkedList<PrefixBlock> _byUse = new(); // the most recently used first
    private readonly Dictionary<PrefixBlock, LinkedListNode<PrefixBlock>> _places = [];
    private readonly long _limitBytes = (long)(budget.LimitBytes * options.PrefixCacheShare);
    private long _bytes;

    /// <summary>Bytes reserved for blocks. Anyone may read it.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>
    /// Fills the empty <paramref name="cache"/> with the longest known beginning of the prompt and answers its tokens. The prompt's last token is
    /// left to compute: its logits say what comes next.
    /// </summary>
    public int Fill(IKeyValueCache cache, ResidentModel model, string caller, ReadOnlyMemory<int> promptIds)
    {
        if (Find(model, caller) is not PrefixTree tree) return 0;
        List<PrefixBlock> chain = Chain(tree, promptIds[..^1]);
        foreach (PrefixBlock block in chain) cache.Append(block.Cache, 0, BlockTokens);
        Use(chain);
        return cache.Length;
    }

    /// <summary>Marks the known beginning of a prompt as used, so that it is not what makes room for the prompt.</summary>
    public void Use(ResidentModel model, string caller, ReadOnlyMemory<int> promptIds)
    {
        if (Find(model, caller) is PrefixTree tree) Use(Chain(tree, promptIds[..^1]));
    }

    /// <summary>Keeps what <paramref name="cache"/> holds of <paramref name="ids"/>, as far as whole blocks and bytes go.</summary>
    public void Keep(IKeyValueCache cache, ResidentModel model, string caller, ReadOnlyMemory<int> ids)
    {
        int blocks = Math.Min(cache.Length, ids.Length) / BlockTokens;
        long bytes = model.Decoder.CacheBytes(BlockTokens);
        if (blocks == 0 || bytes == 0 || bytes > _limitBytes) return; // a model without attention has nothing to keep
        PrefixTree tree = Find(model, caller) ?? new PrefixTree(model, caller);
        List<PrefixBlock> chain = Chain(tree, ids[..(blocks * BlockTokens)]);
        Use(chain);
        while (chain.Count < blocks && TryMakeRoom(bytes, chain.LastOrDefault()))
        {
            int first = chain.Count * BlockTokens;
            chain.Add(Insert(tree, chain.LastOrDefault(), new BlockIds(ids.Slice(first, BlockTokens)).Copy(), Copy(cache, model, first, bytes), bytes));
        }
        if (tree.First.Count > 0) _trees[(model, caller)] = tree;
    }

    /// <summary>Reserves <paramref name="bytes"/> on the budget, giving up blocks if need be, and none when all would not suffice.</summary>
    public bool TryReserve(long bytes)
    {
        while (!budget.TryReserve(bytes))
        {
            bool suffices = bytes <= budget.LimitBytes - budget.ReservedBytes + _bytes;
            if (!suffices || _byUse.Last is null) return false;
            Remove(_byUse.Last.Value);
        }
        return true;
    }

    /// <summary>Drops what nobody used for its lifetime: texts do not rest in memory for ever.</summary>
    public void RemoveExpired()
    {
        while (UntilExpiry() <= TimeSpan.Zero) Remove(_byUse.Last!.Value); // an expiry is the last one's
    }

    /// <summary>How long until the next block expires; null: there is none.</summary>
    public TimeSpan? UntilExpiry() => _byUse.Last is { } last ? options.PrefixCacheLifetime - time.GetElapsedTime(last.Value.UsedAt) : null;

    /// <summary>Bytes of blocks of a caller's, and of anybody's on one of the models.</summary>
    public long BytesOf(string caller, IReadOnlyCollection<ResidentModel> models) =>
        _trees.Values.Where(tree => tree.Caller == caller || models.Contains(tree.Model)).Sum(tree => tree.Bytes);

    /// <summary>Drops everything of a model that leaves the device.</summary>
    public void Forget(ResidentModel model) => RemoveWhere(tree => tree.Model == model);

    /// <summary>Drops everything of a caller.</summary>
    public void Forget(string caller) => RemoveWhere(tree => tree.Caller == caller);

    /// <summary>Drops everything.</summary>
    public void Clear() => RemoveWhere(_ => true);

    private PrefixTree? Find(ResidentModel model, string caller) => _trees.GetValueOrDefault((model, caller));

    /// <summary>The blocks that hold the longest known beginning of <paramref name="ids"/>.</summary>
    private static List<PrefixBlock> Chain(PrefixTree tree, ReadOnlyMemory<int> ids)
    {
        List<PrefixBlock> chain = [];
        Dictionary<BlockIds, PrefixBlock> next = tree.First;
        for (int first = 0; first + BlockTokens <= ids.Length && next.TryGetValue(new BlockIds(ids.Slice(first, BlockTokens)), out PrefixBlock? block); first += BlockTokens)
        {
            chain.Add(block);
            next = block.Children;
        }
        return chain;
    }

    private void Use(List<PrefixBlock> chain)
    {
        long now = time.GetTimestamp();
        foreach (PrefixBlock block in Enumerable.Reverse(chain))
        {
            block.UsedAt = now;
            LinkedListNode<PrefixBlock> place = _places[block];
            _byUse.Remove(place);
            _byUse.AddFirst(place);
        }
    }

    /// <summary>Reserves a block's bytes within the cache's own limit too; never at the cost of <paramref name="parent"/>, whose child it will be.</summary>
    private bool TryMakeRoom(long bytes, PrefixBlock? parent)
    {
        while (_bytes + bytes > _limitBytes || !budget.TryReserve(bytes))
        {
            if (_byUse.Last is null || _byUse.Last.Value == parent) return false;
            Remove(_byUse.Last.Value);
        }
        Interlocked.Add(ref _bytes, bytes);
        return true;
    }

    private IKeyValueCache Copy(IKeyValueCache cache, ResidentModel model, int first, long bytes)
    {
        try
        {
            IKeyValueCache copy = model.Decoder.CreateCache(BlockTokens);
            copy.Append(cache, first, BlockTokens);
            return copy;
        }
        catch
        {
            Release(bytes);
            throw;
        }
    }

    private PrefixBlock Insert(PrefixTree tree, PrefixBlock? parent, BlockIds ids, IKeyValueCache cache, long bytes)
    {
        PrefixBlock block = new(tree, parent, ids, cache, bytes);
        (parent?.Children ?? tree.First).Add(ids, block);
        tree.Bytes += bytes;
        block.UsedAt = time.GetTimestamp();
        _places.Add(block, parent is null ? _byUse.AddFirst(block) : _byUse.AddAfter(_places[parent], block));
        return block;
    }

    private void Remove(PrefixBlock block)
    {
        if (block.Children.Count > 0) throw new InvalidOperationException("a block would go before those after it");
        _byUse.Remove(_places[block]);
        _places.Remove(block);
        (block.Parent?.Children ?? block.Tree.First).Remove(block.Ids);
        if (block.Tree.First.Count == 0) _trees.Remove((block.Tree.Model, block.Tree.Caller));
        block.Cache.Dispose();
        block.Tree.Bytes -= block.Bytes;
        Release(block.Bytes);
    }

    private void RemoveWhere(Func<PrefixTree, bool> condition)
    {
        for (LinkedListNode<PrefixBlock>? place = _byUse.Last, next; place is not null; place = next)
        {
            next = place.Previous;
            if (condition(place.Value.Tree)) Remove(place.Value);
        }
    }

    private void Release(long bytes)
    {
        Interlocked.Add(ref _bytes, -bytes);
        budget.Release(bytes);
    }
}
