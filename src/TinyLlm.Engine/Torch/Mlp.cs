using static TorchSharp.torch;

namespace TinyLlm.Engine;

/// <summary>A layer's MLP, up to its output matrix, gated or plain. N rows, C hidden size, I inner size.</summary>
internal sealed class Mlp : IDisposable
{
    private readonly Activation _activation;
    private readonly Projection? _gate;
    private readonly Projection _up; // with the gate above it where there is none of its own
    private readonly long? _gateRows;

    public Mlp(WeightLoader weights, int layer)
    {
        DecoderConfig config = weights.Config;
        TensorNames names = weights.Names;
        _activation = config.Activation;
        _gateRows = names.HasGateAboveUp ? config.IntermediateSize : null;
        _gate = config.HasGate && !names.HasGateAboveUp ? Matrix(DecoderPart.Gate) : null;
        _up = Matrix(names.HasGateAboveUp ? DecoderPart.GateUp : DecoderPart.Up);
        Output = Matrix(DecoderPart.Down);

        Projection Matrix(DecoderPart part) => new(weights, names.Of(part, layer), config.HasMlpBias, names.IsInputFirst);
    }

    /// <summary>(N, I) to (N, C).</summary>
    public Projection Output { get; }

    /// <summary>(N, C) to (N, I), which <see cref="Output"/> takes.</summary>
    public Tensor Forward(Tensor x)
    {
        if (_gate is not null) return Activate(_gate.Forward(x)).mul_(_up.Forward(x));
        Tensor up = _up.Forward(x);
        return _gateRows is long rows ? Activate(up.narrow(1, 0, rows)).mul(up.narrow(1, rows, rows)) : Activate(up);
    }

    public void Dispose()
    {
        _gate?.Dispose();
        _up.Dispose();
        Output.Dispose();
    }

    /// <summary>In place where libtorch can.</summary>
    private Tensor Activate(Tensor x) => _activation switch
    {
        Activation.Silu => x.silu_(),
        Activation.Gelu => x.gelu(),
        Activation.GeluTanh => x.gelu(TorchSharp.Modules.GELU.Approximate.tanh),
        _ => x.relu_(),
    };
}
