using static TorchSharp.torch;

namespace TinyLlm.Engine;

/// <summary>What all layers of one forward pass share: which rows belong to which sequence, and where they stand. N rows.</summary>
internal sealed class RaggedBatch
{
    private readonly Device _device;
    private readonly int[] _positions;

    public RaggedBatch(ReadOnlySpan<DecoderInput> inputs, IReadOnlyList<RotaryPositions> rotaries, IReadOnlyList<int?> windows, Device device)
    {
        foreach (DecoderInput input in inputs) Rows += input.Ids.Length;
        long[] ids = new long[Rows];
        _device = device;
        _positions = new int[Rows];
        Parts = new BatchPart[inputs.Length];
        for (int i = 0, row = 0; i < inputs.Length; i++)
        {
            TorchCache cache = (TorchCache)inputs[i].Cache;
            ReadOnlySpan<int> tokens = inputs[i].Ids.Span;
            Parts[i] = new BatchPart(cache, row, tokens.Length, windows, device);
            for (int k = 0; k < tokens.Length; k++, row++) (ids[row], _positions[row]) = (tokens[k], cache.Length + k);
        }
        Ids = tensor(ids, device: device);
        Rotations = [.. rotaries.Select(rotary => rotary.Tables(_positions))];
    }

    public BatchPart[] Parts { get; }

    /// <summary>N.</summary>
    public int Rows { get; }

    /// <summary>All tokens, (N), int64.</summary>
    public Tensor Ids { get; }

    /// <summary>The rotations of this pass, as the layers number them.</summary>
    public RotaryTables[] Rotations { get; }

    /// <summary>Where each row's position is in a table that begins at <paramref name="offset"/>, (N), int64.</summary>
    public Tensor PositionRows(int offset) => tensor(Array.ConvertAll(_positions, position => (long)position + offset), device: _device);

    /// <summary>The rows whose logits the inputs ask for, (R), int64.</summary>
    public Tensor LogitRows(ReadOnlySpan<DecoderInput> inputs, int count)
    {
        long[] rows = new long[count];
        for (int i = 0, next = 0; i < inputs.Length; i++)
        {
            int end = Parts[i].FirstRow + Parts[i].Rows;
            for (int row = end - inputs[i].LogitCount; row < end; row++) rows[next++] = row;
        }
        return tensor(rows, device: _device);
    }

    /// <summary>Counts the rows as held by their caches: the pass has succeeded.</summary>
    public void Commit()
    {
        foreach (BatchPart part in Parts) part.Cache.Length += part.Rows;
    }
}
