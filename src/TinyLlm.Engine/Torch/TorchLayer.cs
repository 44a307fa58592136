using static TorchSharp.torch;

namespace TinyLlm.Engine;

/// <summary>
/// One layer: attention, then the gated MLP, each behind its norm and added to the residual stream.
/// N rows of all sequences, C hidden size, H heads, K key and value heads, G heads per key head, D head size, T rows of one sequence,
/// L positions it attends to.
/// </summary>
internal sealed class TorchLayer : IDisposable
{
    // Scores of one piece of a prompt: 4 Mi floats, 16 MB. A choice, not a measurement: well inside the reference machine's 105 MB of shared cache.
    private const long MaxScores = 4 << 20;

    private readonly int _index;
    private readonly long _heads, _keyHeads, _headSize;
    private readonly RmsNorm _attentionNorm, _mlpNorm;
    private readonly RmsNorm? _queryNorm, _keyNorm;
    private readonly Projection _query, _key, _value, _output, _gate, _up, _down;

    public TorchLayer(Checkpoint checkpoint, int index, Device device)
    {
        DecoderConfig config = checkpoint.Config;
        string prefix = $"model.layers.{index}.";
        _index = index;
        (_heads, _keyHeads, _headSize) = (config.HeadCount, config.KeyValueHeadCount, config.HeadSize);
        _attentionNorm = Norm("input_layernorm.weight", config.HiddenSize);
        _mlpNorm = Norm("post_attention_layernorm.weight", config.HiddenSize);
        _queryNorm = config.HasQueryKeyNorm ? Norm("self_attn.q_norm.weight", config.HeadSize) : null;
        _keyNorm = config.HasQueryKeyNorm ? Norm("self_attn.k_norm.weight", config.HeadSize) : null;
        _query = Matrix("self_attn.q_proj", config.HasQueryKeyValueBias);
        _key = Matrix("self_attn.k_proj", config.HasQueryKeyValueBias);
        _value = Matrix("self_attn.v_proj", config.HasQueryKeyValueBias);
        _output = Matrix("self_attn.o_proj", config.HasAttentionOutputBias);
        _gate = Matrix("mlp.gate_proj", config.HasMlpBias);
        _up = Matrix("mlp.up_proj", config.HasMlpBias);
        _down = Matrix("mlp.down_proj", config.HasMlpBias);

        RmsNorm Norm(string name, int size) => new(checkpoint, prefix + name, size, config.NormEpsilon, device);
        Projection Matrix(string name, bool hasBias) => new(checkpoint, prefix + name, hasBias, device);
    }

    /// <summary>The residual stream (N, C) after this layer; the sequences' caches hold their new keys and values.</summary>
    public Tensor Forward(Tensor x, RaggedBatch batch)
    {
        using IDisposable scope = NewDisposeScope();

        // 1. Queries, which the rotation also scales, keys and values.
        Tensor normed = _attentionNorm.Forward(x); // (N, C)
        Tensor queries = _query.Forward(normed).view(-1, _heads, _headSize); // (N, H, D)
        Tensor keys = _key.Forward(normed).view(-1, _keyHeads, _headSize); // (N, K, D)
        Tensor values = _value.Forward(normed).view(-1, _keyHeads, _headSize); // (N, K, D)
        if (_queryNorm is not null) queries = _queryNorm.Forward(queries);
        if (_keyNorm is not null) keys = _keyNorm.Forward(keys);
        queries = batch.RotateQueries(queries);
        keys = batch.RotateKeys(keys);

        // 2. Attention, sequence by sequence: each has its own cache.
        Tensor[] attended = new Tensor[batch.Parts.Length];
        for (int i = 0; i < attended.Length; i++)
        {
            RaggedBatch.Part part = batch.Parts[i];
            attended[i] = attended.Length == 1
                ? Attend(part, queries, keys, values)
                : Attend(part, queries.narrow(0, part.FirstRow, part.Rows), keys.narrow(0, part.FirstRow, part.Rows), values.narrow(0, part.FirstRow, part.Rows));
        }
        x = _output.AddTo(x, attended.Length == 1 ? attended[0] : cat(attended, 0)); // (N, C)

        // 3. The gated MLP.
        normed = _mlpNorm.Forward(x);
        x = _down.AddTo(x, _gate.Forward(normed).silu_().mul_(_up.Forward(normed))); // (N, C)
        return x.MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        foreach (IDisposable? part in (IDisposable?[])[_attentionNorm, _mlpNorm, _queryNorm, _keyNorm, _query, _key, _value, _output, _gate, _up, _down])
            part?.Dispose();
    }

    /// <summary>(T, H, D) and twice (T, K, D) to (T, H D).</summary>
    private Tensor Attend(RaggedBatch.Part part, Tensor queries, Tensor keys, Tensor values)
    {
        TorchCache.Layer cache = part.Cache.Layers[_index];
        cache.Keys.narrow(0, part.Start, part.Rows).copy_(keys);
        cache.Values.narrow(0, part.Start, part.Rows).copy_(values);
        long length = part.Start + part.Rows, group = _heads / _keyHeads;
        if (part.Rows == 1)
        {
            Tensor weights = queries.view(_keyHeads, group, _headSize).bmm(cache.KeysToRead.narrow(2, 0, length)).softmax(-1); // (K, G, L)
            return weights.bmm(cache.ValuesToRead.narrow(1, 0, length)).view(1, _heads * _headSize);
        }

        // A prompt goes in pieces, so that the scores of a long one do not fill the memory.
        int rows = (int)Math.Clamp(MaxScores / (_heads * length), 1, part.Rows);
        Tensor[] pieces = new Tensor[(part.Rows + rows - 1) / rows];
        for (int i = 0; i < pieces.Length; i++)
        {
            int first = i * rows;
            pieces[i] = AttendPiece(part, cache, queries, first, Math.Min(rows, part.Rows - first));
        }
        return pieces.Length == 1 ? pieces[0] : cat(pieces, 0);
    }

    private Tensor AttendPiece(RaggedBatch.Part part, TorchCache.Layer cache, Tensor queries, int first, int rows)
    {
        using IDisposable scope = NewDisposeScope();
        long length = part.Start + first + rows, group = _heads / _keyHeads;
        Tensor grouped = queries.narrow(0, first, rows).view(rows, _keyHeads, group, _headSize)
            .permute(1, 0, 2, 3).reshape(_keyHeads, rows * group, _headSize); // (K, T G, D)
        Tensor scores = grouped.bmm(cache.KeysToRead.narrow(2, 0, length)); // (K, T G, L)
        Tensor mask = part.Mask!.narrow(0, first, rows).narrow(2, 0, length); // (T, 1, L)
        Tensor weights = scores.view(_keyHeads, rows, group, length).add_(mask).softmax(-1).view(_keyHeads, rows * group, length);
        Tensor sums = weights.bmm(cache.ValuesToRead.narrow(1, 0, length)); // (K, T G, D)
        return sums.view(_keyHeads, rows, group, _headSize).permute(1, 0, 2, 3).reshape(rows, _heads * _headSize).MoveToOuterDisposeScope();
    }
}
