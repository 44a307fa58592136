using static TorchSharp.torch;

namespace TinyLlm.Engine;

/// <summary>
/// Keys and values of one sequence. One allocation; what a layer reads and writes are views made once, because making a view costs as much as
/// computing on it, and only when a layer asks: a cache that rests needs none. P positions (capacity), K key and value heads, D head size.
/// </summary>
internal sealed class TorchCache : IKeyValueCache
{
    private readonly Tensor _memory;
    private Layer[]? _layers;

    public TorchCache(DecoderConfig config, int capacity, Device device)
    {
        Capacity = capacity;
        _memory = empty([config.LayerCount, 2, capacity, config.KeyValueHeadCount, config.HeadSize], ScalarType.Float32, device);
    }

    public int Capacity { get; }

    public int Length { get; set; }

    public Layer[] Layers => _layers ??= MakeLayers();

    public void Append(IKeyValueCache source, int first, int tokens)
    {
        TorchCache other = (TorchCache)source;
        CacheBounds.CheckAppend(this, other, first, tokens);
        using IDisposable scope = NewDisposeScope();
        _memory.narrow(2, Length, tokens).copy_(other._memory.narrow(2, first, tokens));
        Length += tokens;
    }

    public void Dispose()
    {
        foreach (Layer layer in _layers ?? [])
        {
            layer.Keys.Dispose();
            layer.Values.Dispose();
            layer.KeysToRead.Dispose();
            layer.ValuesToRead.Dispose();
        }
        _memory.Dispose();
    }

    private Layer[] MakeLayers()
    {
        Layer[] layers = new Layer[_memory.shape[0]];
        for (int i = 0; i < layers.Length; i++)
        {
            using Tensor layer = _memory.select(0, i);
            Tensor keys = layer.select(0, 0), values = layer.select(0, 1); // (P, K, D)
            layers[i] = new Layer(
                keys.DetachFromDisposeScope(), values.DetachFromDisposeScope(), keys.permute(1, 2, 0).DetachFromDisposeScope(), values.permute(1, 0, 2).DetachFromDisposeScope());
        }
        return layers;
    }

    /// <summary>Keys and Values, (P, K, D), are written; KeysToRead, (K, D, P), and ValuesToRead, (K, P, D), are the same memory.</summary>
    public sealed record Layer(Tensor Keys, Tensor Values, Tensor KeysToRead, Tensor ValuesToRead);
}
