using static TorchSharp.torch;

namespace TinyLlm.Engine;

/// <summary>One layer: attention and MLP, with their norms, added to the residual stream. N rows of all sequences, C hidden size.</summary>
internal sealed class TorchLayer : IDisposable
{
    private readonly NormPlacement _placement;
    private readonly bool _isParallel;
    private readonly Attention _attention;
    private readonly Mlp _mlp;
    private readonly Norm _attentionNorm, _mlpNorm;
    private readonly Norm? _attentionSumNorm, _mlpSumNorm;

    /// <param name="weights">Of the model.</param>
    /// <param name="layer">Which layer.</param>
    /// <param name="rotation">Which of the pass's rotations; null: none.</param>
    public TorchLayer(WeightLoader weights, int layer, int? rotation)
    {
        (_placement, _isParallel) = (weights.Config.NormPlacement, weights.Config.HasParallelResidual);
        _attention = new Attention(weights, layer, rotation);
        _mlp = new Mlp(weights, layer);
        _attentionNorm = Norm(DecoderPart.AttentionNorm);
        _mlpNorm = Norm(DecoderPart.MlpNorm);
        if (_placement != NormPlacement.Around) return;
        _attentionSumNorm = Norm(DecoderPart.AttentionSumNorm);
        _mlpSumNorm = Norm(DecoderPart.MlpSumNorm);

        Norm Norm(DecoderPart part) => new(weights, weights.Names.Of(part, layer), weights.Config.HiddenSize);
    }

    /// <summary>The residual stream (N, C) after this layer; the sequences' caches hold their new keys and values.</summary>
    public Tensor Forward(Tensor x, RaggedBatch batch)
    {
        using IDisposable scope = NewDisposeScope();
        return (_isParallel ? Parallel(x, batch) : Sequential(x, batch)).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        foreach (IDisposable? part in (IDisposable?[])[_attention, _mlp, _attentionNorm, _mlpNorm, _attentionSumNorm, _mlpSumNorm]) part?.Dispose();
    }

    private Tensor Parallel(Tensor x, RaggedBatch batch)
    {
        Tensor attended = _attention.Output.AddTo(x, _attention.Forward(_attentionNorm.Forward(x), batch));
        return _mlp.Output.AddTo(attended, _mlp.Forward(_mlpNorm.Forward(x)));
    }

    private Tensor Sequential(Tensor x, RaggedBatch batch)
    {
        x = Add(x, _attention.Output, _attention.Forward(In(x, _attentionNorm), batch), _attentionNorm, _attentionSumNorm);
        return Add(x, _mlp.Output, _mlp.Forward(In(x, _mlpNorm)), _mlpNorm, _mlpSumNorm);
    }

    private Tensor In(Tensor x, Norm norm) => _placement == NormPlacement.After ? x : norm.Forward(x);

    private Tensor Add(Tensor x, Projection output, Tensor inner, Norm norm, Norm? sumNorm) => _placement switch
    {
        NormPlacement.Before => output.AddTo(x, inner),
        NormPlacement.After => norm.Forward(output.AddTo(x, inner)),
        _ => sumNorm!.Forward(output.Forward(inner)).add_(x), // there with this placement
    };
}
