using TorchSharp;
using static TorchSharp.torch;

namespace TinyLlm.Engine;

/// <summary>What all layers of one forward pass share: which rows belong to which sequence, and where they stand. N rows, D head size.</summary>
internal sealed class RaggedBatch
{
    private static readonly Scalar s_one = 1f;

    private readonly Tensor _queryCosines, _querySines, _keyCosines, _keySines; // (N, 1, D)
    private readonly long _halfHead;
    private readonly Device _device;

    public RaggedBatch(ReadOnlySpan<DecoderInput> inputs, RotaryPositions rotary, int headSize, Device device)
    {
        int rows = 0;
        foreach (DecoderInput input in inputs) rows += input.Ids.Length;
        long[] ids = new long[rows];
        int[] positions = new int[rows];
        Parts = new Part[inputs.Length];
        for (int i = 0, row = 0; i < inputs.Length; i++)
        {
            TorchCache cache = (TorchCache)inputs[i].Cache;
            ReadOnlySpan<int> tokens = inputs[i].Ids.Span;
            Parts[i] = new Part(cache, row, tokens.Length, cache.Length, tokens.Length > 1 ? Mask(cache.Length, tokens.Length, device) : null);
            for (int k = 0; k < tokens.Length; k++, row++) (ids[row], positions[row]) = (tokens[k], cache.Length + k);
        }
        Ids = tensor(ids, device: device);
        _device = device;
        Rows = rows;
        Tensor tables = rotary.Tables(positions);
        (_queryCosines, _querySines, _keyCosines, _keySines) = (tables.select(0, 0), tables.select(0, 1), tables.select(0, 2), tables.select(0, 3));
        _halfHead = headSize / 2;
    }

    public Part[] Parts { get; }

    /// <summary>All tokens, (N), int64.</summary>
    public Tensor Ids { get; }

    /// <summary>N.</summary>
    public int Rows { get; }

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
        foreach (Part part in Parts) part.Cache.Length += part.Rows;
    }

    /// <summary>(N, H, D), rotated and scaled by 1 / sqrt(D).</summary>
    public Tensor RotateQueries(Tensor queries) => Rotate(queries, _queryCosines, _querySines);

    /// <summary>(N, K, D), rotated.</summary>
    public Tensor RotateKeys(Tensor keys) => Rotate(keys, _keyCosines, _keySines);

    private Tensor Rotate(Tensor x, Tensor cosines, Tensor sines) => x.mul(cosines).addcmul_(x.roll(_halfHead, -1), sines, s_one);

    /// <summary>0 where a row may look, minus infinity where a later token stands: (T, 1, L).</summary>
    private static Tensor Mask(int start, int rows, Device device) =>
        full([rows, start + rows], float.NegativeInfinity, device: device).triu(start + 1).unsqueeze(1);

    /// <summary>One sequence's rows. Start is the position of the first; Mask is there when there is more than one.</summary>
    public readonly record struct Part(TorchCache Cache, int FirstRow, int Rows, int Start, Tensor? Mask);
}
