using static TorchSharp.torch;

namespace TinyLlm.Engine;

/// <summary>The residual stream to hidden states, and those to logits. R rows, C hidden size, V vocabulary.</summary>
internal sealed class TorchHead : IDisposable
{
    private readonly float? _cap;
    private readonly Norm? _norm;
    private readonly Projection? _out, _matrix;

    public TorchHead(WeightLoader weights, TorchEmbedding embedding)
    {
        DecoderConfig config = weights.Config;
        TensorNames names = weights.Names;
        _cap = (float?)config.LogitCap;
        if (config.HasFinalNorm) _norm = new Norm(weights, names.Of(DecoderPart.FinalNorm), config.HiddenSize);
        if (config.EmbeddingSize != config.HiddenSize) _out = new Projection(weights, names.Of(DecoderPart.EmbeddingOut), hasBias: false);
        if (config.Output == OutputMatrix.None) return;
        Tensor matrix = config.Output == OutputMatrix.Embedding ? embedding.Matrix.alias() : weights.Matrix(names.Of(DecoderPart.Output));
        _matrix = new Projection(matrix, config.HasOutputBias ? weights.Vector(names.Of(DecoderPart.Output) + ".bias") : null);
    }

    /// <summary>(R, C) to (R, C), normalised as the model does before its output.</summary>
    public Tensor Hidden(Tensor x) => _norm is null ? x : _norm.Forward(x);

    /// <summary>(R, C) to (R, V).</summary>
    public Tensor Logits(Tensor hidden)
    {
        if (_out is not null) hidden = _out.Forward(hidden);
        Tensor logits = _matrix is null ? hidden : _matrix.Forward(hidden);
        return _cap is float cap ? logits.div(cap).tanh_().mul_(cap) : logits;
    }

    public void Dispose()
    {
        _norm?.Dispose();
        _out?.Dispose();
        _matrix?.Dispose();
    }
}
