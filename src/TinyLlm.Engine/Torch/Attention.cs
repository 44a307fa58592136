using static TorchSharp.torch;

namespace TinyLlm.Engine;

/// <summary>
/// A layer's attention over the sequences' caches, up to its output matrix. N rows of all sequences, C hidden size, H heads, K key and value
/// heads, G heads per key head, D head size, T rows of one sequence, L positions it attends to.
/// </summary>
internal sealed class Attention : IDisposable
{
    // Scores of one piece of a prompt: 4 Mi floats, 16 MB. A choice, not a measurement: well inside the reference machine's 105 MB of shared cache.
    private const long MaxScores = 4 << 20;

    private readonly int _layer;
    private readonly int? _rotation, _window;
    private readonly float _queryScale;
    private readonly double? _cap;
    private readonly long _heads, _keyHeads, _headSize;
    private readonly AttentionInputs _inputs;
    private readonly Norm? _queryNorm, _keyNorm;

    /// <param name="weights">Of the model.</param>
    /// <param name="layer">Which layer.</param>
    /// <param name="rotation">Which of the pass's rotations; null: none.</param>
    public Attention(WeightLoader weights, int layer, int? rotation)
    {
        DecoderConfig config = weights.Config;
        (_layer, _rotation, _window, _cap) = (layer, rotation, config.Layers[layer].Window, config.AttentionLogitCap);
        _queryScale = (float)config.Layers[layer].AttentionScale;
        (_heads, _keyHeads, _headSize) = (config.HeadCount, config.KeyValueHeadCount, config.HeadSize);
        _inputs = new AttentionInputs(weights, layer);
        _queryNorm = config.HasQueryKeyNorm ? new Norm(weights, weights.Names.Of(DecoderPart.QueryNorm, layer), config.HeadSize) : null;
        _keyNorm = config.HasQueryKeyNorm ? new Norm(weights, weights.Names.Of(DecoderPart.KeyNorm, layer), config.HeadSize) : null;
        Output = new Projection(weights, weights.Names.Of(DecoderPart.AttentionOutput, layer), config.HasAttentionOutputBias, weights.Names.IsInputFirst);
    }

    /// <summary>(N, H D) to (N, C).</summary>
    public Projection Output { get; }

    /// <summary>(N, C) to (N, H D), which <see cref="Output"/> takes; the sequences' caches hold their new keys and values.</summary>
    public Tensor Forward(Tensor x, RaggedBatch batch)
    {
        // 1. Queries, which are also scaled, keys and values.
        (Tensor queries, Tensor keys, Tensor values) = _inputs.Forward(x); // (N, H, D) and twice (N, K, D)
        if (_queryNorm is not null) queries = _queryNorm.Forward(queries);
        if (_keyNorm is not null) keys = _keyNorm.Forward(keys);
        if (_rotation is int rotation) (queries, keys) = (batch.Rotations[rotation].Queries(queries), batch.Rotations[rotation].Keys(keys));
        else if (_queryScale != 1) queries = queries.mul(_queryScale);

        // 2. Sequence by sequence: each has its own cache.
        Tensor[] attended = new Tensor[batch.Parts.Length];
        for (int i = 0; i < attended.Length; i++)
        {
            BatchPart part = batch.Parts[i];
            attended[i] = attended.Length == 1
                ? Attend(part, queries, keys, values)
                : Attend(part, queries.narrow(0, part.FirstRow, part.Rows), keys.narrow(0, part.FirstRow, part.Rows), values.narrow(0, part.FirstRow, part.Rows));
        }
        return attended.Length == 1 ? attended[0] : cat(attended, 0);
    }

    public void Dispose()
    {
        _inputs.Dispose();
        _queryNorm?.Dispose();
        _keyNorm?.Dispose();
        Output.Dispose();
    }

    /// <summary>(T, H, D) and twice (T, K, D) to (T, H D).</summary>
    private Tensor Attend(BatchPart part, Tensor queries, Tensor keys, Tensor values)
    {
        TorchCache.Layer cache = part.Cache.Layers[_layer];
        cache.Keys.narrow(0, part.Start, part.Rows).copy_(keys);
        cache.Values.narrow(0, part.Start, part.Rows).copy_(values);
        if (part.Rows == 1)
        {
            long first = FirstSeen(part.Start), seen = part.Length - first;
            Tensor scores = Capped(queries.reshape(_keyHeads, _heads / _keyHeads, _headSize).bmm(cache.KeysToRead.narrow(2, first, seen))); // (K, G, L)
            return scores.softmax(-1).bmm(cache.ValuesToRead.narrow(1, first, seen)).view(1, _heads * _headSize);
        }

        // A prompt goes in pieces, so that the scores of a long one do not fill the memory.
        int rows = (int)Math.Clamp(MaxScores / (_heads * part.Length), 1, part.Rows);
        Tensor[] pieces = new Tensor[(part.Rows + rows - 1) / rows];
        for (int i = 0; i < pieces.Length; i++) pieces[i] = AttendPiece(part, cache, queries, i * rows, Math.Min(rows, part.Rows - i * rows));
        return pieces.Length == 1 ? pieces[0] : cat(pieces, 0);
    }

    private Tensor AttendPiece(BatchPart part, TorchCache.Layer cache, Tensor queries, int firstRow, int rows)
    {
        using IDisposable scope = NewDisposeScope();
        long first = FirstSeen(part.Start + firstRow), seen = part.Start + firstRow + rows - first, group = _heads / _keyHeads;
        Tensor grouped = queries.narrow(0, firstRow, rows).reshape(rows, _keyHeads, group, _headSize)
            .permute(1, 0, 2, 3).reshape(_keyHeads, rows * group, _headSize); // (K, T G, D)
        Tensor scores = Capped(grouped.bmm(cache.KeysToRead.narrow(2, first, seen))); // (K, T G, L)
        Tensor mask = part.Mask(_window).narrow(0, firstRow, rows).narrow(1, first, seen).unsqueeze(1); // (T, 1, L)
        Tensor weights = scores.view(_keyHeads, rows, group, seen).add_(mask).softmax(-1).view(_keyHeads, rows * group, seen);
        Tensor sums = weights.bmm(cache.ValuesToRead.narrow(1, first, seen)); // (K, T G, D)
        return sums.view(_keyHeads, rows, group, _headSize).permute(1, 0, 2, 3).reshape(rows, _heads * _headSize).MoveToOuterDisposeScope();
    }

    /// <summary>The first position that a token at <paramref name="position"/> attends to.</summary>
    private long FirstSeen(int position) => _window is int window ? Math.Max(0, position - window + 1) : 0;

    private Tensor Capped(Tensor scores) => _cap is double cap ? scores.div_((float)cap).tanh_().mul_((float)cap) : scores;
}
