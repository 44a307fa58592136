using System.Collections.Frozen;

namespace TinyLlm.SafeTensors;

/// <summary>
/// <c>model.safetensors.index.json</c>: which shard holds which tensor. Read as strictly as a header; only the white space of a text file may
/// follow the object. What <c>metadata</c> says is checked for form and otherwise ignored: real exporters write a total_size that
/// does not fit. Knows shards by bare file name, and no folder.
/// </summary>
public sealed class ShardedIndex
{
    private ShardedIndex(FrozenDictionary<string, string> weightMap)
    {
        WeightMap = weightMap;
    }

    /// <summary>The shard's bare file name by tensor name.</summary>
    public FrozenDictionary<string, string> WeightMap { get; }

    /// <summary>Checks an index by itself.</summary>
    /// <exception cref="SafeTensorsException">Any rule broken.</exception>
    public static ShardedIndex Parse(ReadOnlySpan<byte> json)
    {
        if (json.Length > SafeTensorsLimits.MaxHeaderBytes)
        {
            throw Refusal.Of(
                SafeTensorsError.IndexTooLong,
                $"the index has {json.Length} bytes, and may have {SafeTensorsLimits.MaxHeaderBytes}: this is no index of a model");
        }
        return new ShardedIndex(new IndexParser(json).Parse().ToFrozenDictionary(StringComparer.Ordinal));
    }

    /// <summary>Checks that the shards hold exactly what the index says: every tensor in its shard, and no tensor or shard beyond.</summary>
    /// <param name="shardsByFileName">The headers of all shards, by bare file name.</param>
    /// <exception cref="SafeTensorsException">ShardMissing, ShardNotIndexed, TensorMissing or TensorNotIndexed.</exception>
    public void Validate(IReadOnlyDictionary<string, SafeTensorsHeader> shardsByFileName)
    {
        ArgumentNullException.ThrowIfNull(shardsByFileName);

        // 1. Every entry leads to a tensor. The map is walked and never searched: foreign names could be chosen to collide in it.
        Dictionary<string, int> indexedByShard = new(StringComparer.Ordinal);
        foreach ((string tensor, string shard) in WeightMap)
        {
            if (!shardsByFileName.TryGetValue(shard, out SafeTensorsHeader? header)) throw ShardMissing(shard, tensor);
            if (!header.TryGet(tensor, out _)) throw TensorMissing(tensor, shard);
            indexedByShard[shard] = indexedByShard.GetValueOrDefault(shard) + 1;
        }

        // 2. Names in the map are distinct, so a shard with more tensors than entries has one left over.
        foreach ((string shard, SafeTensorsHeader header) in shardsByFileName)
        {
            if (!indexedByShard.TryGetValue(shard, out int indexed)) throw ShardNotIndexed(shard);
            if (indexed < header.Tensors.Length) throw TensorNotIndexed(shard, header);
        }
    }

    private static SafeTensorsException ShardMissing(string shard, string tensor) =>
        Refusal.OfTensor(tensor, SafeTensorsError.ShardMissing, $"the index places it in shard '{shard}', which is not there: add the shard");

    private static SafeTensorsException TensorMissing(string tensor, string shard) => Refusal.OfTensor(
        tensor, SafeTensorsError.TensorMissing, $"the index places it in shard '{shard}', which does not hold it: correct index or shard");

    private static SafeTensorsException ShardNotIndexed(string shard) => Refusal.Of(
        SafeTensorsError.ShardNotIndexed,
        $"shard {Printable.Quote(shard)} is in 0 entries of the index, and must be in 1 or more: remove the shard or index it");

    private SafeTensorsException TensorNotIndexed(string shard, SafeTensorsHeader header)
    {
        HashSet<string> indexed = new(WeightMap.Where(entry => entry.Value == shard).Select(entry => entry.Key), StringComparer.Ordinal);
        string tensor = header.Tensors.First(tensor => !indexed.Contains(tensor.Name)).Name;
        return Refusal.OfTensor(
            tensor, SafeTensorsError.TensorNotIndexed,
            $"it lies in shard {Printable.Quote(shard)}, and the index does not place it there: index it or remove it");
    }
}
