using static TorchSharp.torch;

namespace TinyLlm.Engine;

/// <summary>x W^T, and a bias where the checkpoint has one. The matrix is the mapped one: transposing makes a view.</summary>
internal sealed class Projection : IDisposable
{
    private readonly Tensor _matrix, _transposed;
    private readonly Tensor? _bias;

    public Projection(Checkpoint checkpoint, string name, bool hasBias, Device device)
    {
        _matrix = MappedTensors.Load(checkpoint, name + ".weight", device); // (out, in)
        _transposed = _matrix.t();
        _bias = hasBias ? MappedTensors.Load(checkpoint, name + ".bias", device) : null;
    }

    /// <summary>(N, in) to (N, out).</summary>
    public Tensor Forward(Tensor x) => _bias is null ? x.mm(_transposed) : _bias.addmm(x, _transposed, 1, 1);

    /// <summary><paramref name="residual"/> (N, out) plus this of <paramref name="x"/>.</summary>
    public Tensor AddTo(Tensor residual, Tensor x)
    {
        Tensor sum = residual.addmm(x, _transposed, 1, 1);
        return _bias is null ? sum : sum.add_(_bias);
    }

    public void Dispose()
    {
        _matrix.Dispose();
        _transposed.Dispose();
        _bias?.Dispose();
    }
}
