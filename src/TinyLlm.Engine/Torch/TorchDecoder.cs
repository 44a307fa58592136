using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace TinyLlm.Engine;

/// <summary>
/// A decoder's forward pass on libtorch. Knows tensors, and no sampling, text or schedule. One thread uses it.
/// B sequences, N rows of all of them, C hidden size, V vocabulary.
/// </summary>
internal sealed class TorchDecoder : IDecoder
{
    // Small operators gain nothing from a second thread and lose when it must be waited for: on busy processors a softmax of 800 floats took 4 us
    // with one thread and 485 us with two (reference machine). The border itself is a choice between the models tried, 1 MB and 60 MB.
    private const long OneThreadBytes = 8 << 20;

    private readonly Checkpoint _checkpoint;
    private readonly Device _device;
    private readonly int _threads;
    private readonly List<IDisposable> _parts = [];
    private readonly RotaryPositions[] _rotaries;
    private readonly int?[] _windows;
    private readonly TorchEmbedding _embedding;
    private readonly TorchLayer[] _layers;
    private readonly TorchHead _head;
    private bool _isHolding;

    public TorchDecoder(Checkpoint checkpoint, Device device, int threads, ComputePrecision precision)
    {
        _checkpoint = checkpoint;
        _device = device;
        Precision = precision;
        WeightBytes = CheckpointLayout.WeightBytes(Config, precision);
        _threads = WeightBytes < OneThreadBytes ? 1 : threads;
        _windows = [.. Config.Layers.Select(layer => layer.Window).Distinct()];
        checkpoint.Hold();
        _isHolding = true;
        try
        {
            WeightLoader weights = new(checkpoint, device, precision);
            _rotaries = [.. Config.Layers.Where(layer => layer.Rope is not null).DistinctBy(layer => (layer.Rope, layer.AttentionScale)).Select(layer => Own(new RotaryPositions(layer, Config.HeadSize, device)))];
            _embedding = Own(new TorchEmbedding(weights));
            _layers = [.. Config.Layers.Select((layer, i) => Own(new TorchLayer(weights, i, Rotation(layer))))];
            _head = Own(new TorchHead(weights, _embedding));
            if (!checkpoint.IsUsedInPlace) LetGo(); // all was converted or moved
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public DecoderConfig Config => _checkpoint.Config;

    /// <inheritdoc/>
    public ComputePrecision Precision { get; }

    public long WeightBytes { get; }

    public long CacheBytes(int tokens)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(tokens);
        return checked(2L * Config.LayerCount * Config.KeyValueHeadCount * Config.HeadSize * sizeof(float) * tokens);
    }

    public IKeyValueCache CreateCache(int capacityTokens)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacityTokens, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(capacityTokens, Config.ContextLength);
        return new TorchCache(Config, capacityTokens, _device);
    }

    public void Forward(ReadOnlySpan<DecoderInput> batch, Span<float> logits)
    {
        int rows = 0;
        foreach (DecoderInput input in batch) rows += input.LogitCount;
        Check(batch, logits.Length, checked(rows * Config.VocabularySize), "logits");
        using IDisposable mode = inference_mode();
        using IDisposable scope = NewDisposeScope();
        RaggedBatch ragged = new(batch, _rotaries, _windows, _device);
        Tensor x = RunLayers(ragged); // (N, C)
        if (rows > 0)
        {
            if (rows < ragged.Rows) x = x.index_select(0, ragged.LogitRows(batch, rows)); // (R, C)
            Tensor scores = _head.Logits(_head.Hidden(x)).cpu().contiguous(); // (R, V)
            MemoryMarshal.Cast<byte, float>(scores.bytes).CopyTo(logits);
        }
        ragged.Commit();
    }

    public void Embed(ReadOnlySpan<DecoderInput> batch, Span<double> sums)
    {
        Check(batch, sums.Length, checked(batch.Length * Config.HiddenSize), "sums");
        using IDisposable mode = inference_mode();
        using IDisposable scope = NewDisposeScope();
        RaggedBatch ragged = new(batch, _rotaries, _windows, _device);
        Tensor x = _head.Hidden(RunLayers(ragged)).to(ScalarType.Float64); // (N, C)
        for (int i = 0; i < batch.Length; i++)
        {
            BatchPart part = ragged.Parts[i];
            Tensor sum = x.narrow(0, part.FirstRow, part.Rows).sum(dim: 0).cpu(); // (C), float64
            MemoryMarshal.Cast<byte, double>(sum.bytes).CopyTo(sums[(i * Config.HiddenSize)..]);
        }
        ragged.Commit();
    }

    public void Dispose()
    {
        foreach (IDisposable part in _parts) part.Dispose();
        _parts.Clear();
        LetGo();
    }

    private void LetGo()
    {
        if (!_isHolding) return;
        _isHolding = false;
        _checkpoint.Release();
    }

    private Tensor RunLayers(RaggedBatch ragged)
    {
        if (get_num_threads() != _threads) set_num_threads(_threads);
        Tensor x = _embedding.Forward(ragged); // (N, C)
        foreach (TorchLayer layer in _layers) x = layer.Forward(x, ragged);
        return x;
    }

    private int? Rotation(LayerOptions layer)
    {
        int index = Array.FindIndex(_rotaries, rotary => rotary.Serves(layer));
        return index < 0 ? null : index;
    }

    private T Own<T>(T part) where T : IDisposable
    {
        _parts.Add(part);
        return part;
    }

    private void Check(ReadOnlySpan<DecoderInput> batch, int room, int count, string what)
    {
        if (batch.IsEmpty) throw new ArgumentException("the batch is empty", nameof(batch));
        if (room != count) throw new ArgumentException($"room for {room} {what}, and the batch gives {count}", what);
        foreach (DecoderInput input in batch)
        {
            if (input.Ids.IsEmpty) throw new ArgumentException("a sequence has no ids", nameof(batch));
            if (input.Ids.Length > input.Cache.Capacity - input.Cache.Length)
                throw new ArgumentException($"{input.Ids.Length} ids do not fit a cache that holds {input.Cache.Length} of {input.Cache.Capacity}", nameof(batch));
            foreach (int id in input.Ids.Span)
            {
                if ((uint)id >= (uint)Config.VocabularySize) throw new ArgumentException($"id {id} is outside of the vocabulary of {Config.VocabularySize}", nameof(batch));
            }
        }
    }
}
