using static TorchSharp.torch;

namespace TinyLlm.Engine;

/// <summary>Ids and positions to the residual stream. N rows, V vocabulary, E embedding size, C hidden size.</summary>
internal sealed class TorchEmbedding : IDisposable
{
    private readonly float _scale;
    private readonly int _positionOffset;
    private readonly Tensor? _positions; // (rows, C)
    private readonly Projection? _in; // (C, E)

    public TorchEmbedding(WeightLoader weights)
    {
        DecoderConfig config = weights.Config;
        _scale = (float)config.EmbeddingScale;
        Matrix = weights.Matrix(weights.Names.Of(DecoderPart.Embedding));
        if (config.EmbeddingSize != config.HiddenSize) _in = new Projection(weights, weights.Names.Of(DecoderPart.EmbeddingIn), hasBias: false);
        if (config.Positions is not PositionTable positions) return;
        _positions = weights.Matrix(weights.Names.Of(DecoderPart.Positions));
        _positionOffset = positions.Offset;
    }

    /// <summary>(V, E).</summary>
    public Tensor Matrix { get; }

    /// <summary>(N, C), F32.</summary>
    public Tensor Forward(RaggedBatch batch)
    {
        Tensor x = Matrix.index_select(0, batch.Ids).to(ScalarType.Float32); // (N, E)
        if (_scale != 1) x = x.mul_(_scale);
        if (_in is not null) x = _in.Forward(x); // (N, C)
        return _positions is null ? x : x.add(_positions.index_select(0, batch.PositionRows(_positionOffset)));
    }

    public void Dispose()
    {
        Matrix.Dispose();
        _positions?.Dispose();
        _in?.Dispose();
    }
}
