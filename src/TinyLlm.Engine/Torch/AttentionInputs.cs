using static TorchSharp.torch;

namespace TinyLlm.Engine;

/// <summary>
/// Queries, keys and values of a layer, from one matrix or three. N rows, C hidden size, H heads, K key and value heads, D head size.
/// </summary>
internal sealed class AttentionInputs : IDisposable
{
    private readonly QueryKeyValueLayout _layout;
    private readonly long _heads, _keyHeads, _headSize;
    private readonly Projection[] _projections;

    public AttentionInputs(WeightLoader weights, int layer)
    {
        DecoderConfig config = weights.Config;
        (_heads, _keyHeads, _headSize) = (config.HeadCount, config.KeyValueHeadCount, config.HeadSize);
        _layout = weights.Names.QueryKeyValue;
        DecoderPart[] parts = _layout == QueryKeyValueLayout.Separate ? [DecoderPart.Query, DecoderPart.Key, DecoderPart.Value] : [DecoderPart.QueryKeyValue];
        _projections = [.. parts.Select(part => new Projection(weights, weights.Names.Of(part, layer), config.HasQueryKeyValueBias, weights.Names.IsInputFirst))];
    }

    /// <summary>(N, C) to (N, H, D) and twice (N, K, D).</summary>
    public (Tensor Queries, Tensor Keys, Tensor Values) Forward(Tensor x)
    {
        Tensor first = Row(0);
        switch (_layout)
        {
            case QueryKeyValueLayout.Separate:
                return (first.view(-1, _heads, _headSize), Row(1).view(-1, _keyHeads, _headSize), Row(2).view(-1, _keyHeads, _headSize));
            case QueryKeyValueLayout.Stacked:
                Tensor heads = first.view(-1, _heads + 2 * _keyHeads, _headSize); // (N, H + 2 K, D)
                return (heads.narrow(1, 0, _heads), heads.narrow(1, _heads, _keyHeads), heads.narrow(1, _heads + _keyHeads, _keyHeads));
            default:
                Tensor triples = first.view(-1, _heads, 3, _headSize); // (N, H, 3, D)
                return (triples.select(2, 0), triples.select(2, 1), triples.select(2, 2));
        }

        Tensor Row(int index) => _projections[index].Forward(x).contiguous(); // heads are read one by one
    }

    public void Dispose()
    {
        foreach (Projection projection in _projections) projection.Dispose();
    }
}
