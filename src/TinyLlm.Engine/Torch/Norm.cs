using static TorchSharp.torch;

namespace TinyLlm.Engine;

/// <summary>
/// Normalises the last dimension. RMS norms take four operators: with n elements x / sqrt(mean(x^2) + eps) * w equals
/// x / hypot(|x|, sqrt(n eps)) * (w sqrt(n)); libtorch's own is a composite that costs ten times as much.
/// </summary>
internal sealed class Norm : IDisposable
{
    private readonly Tensor _weight;
    private readonly Tensor? _bias, _floor;
    private readonly long[] _shape;
    private readonly double _epsilon;

    public Norm(WeightLoader weights, string name, int size)
    {
        _epsilon = weights.Config.NormEpsilon;
        _shape = [size];
        Tensor weight = weights.Vector(name + ".weight");
        if (weights.Config.Norm == NormKind.Layer)
        {
            _weight = weight;
            _bias = weights.Vector(name + ".bias");
            return;
        }
        using (weight)
        using (Tensor root = tensor((float)Math.Sqrt(size), device: weights.Device))
        using (Tensor whole = weights.Config.Norm == NormKind.RmsFromOne ? weight.add(1) : weight.alias())
            _weight = whole.mul(root);
        _floor = tensor((float)Math.Sqrt(size * _epsilon), device: weights.Device);
    }

    /// <summary>A new tensor of the shape of <paramref name="x"/>.</summary>
    public Tensor Forward(Tensor x) => _floor is null
        ? nn.functional.layer_norm(x, _shape, _weight, _bias, _epsilon)
        : x.div(x.norm(-1, true, 2f).hypot(_floor)).mul_(_weight);

    public void Dispose()
    {
        _weight.Dispose();
        _bias?.Dispose();
        _floor?.Dispose();
    }
}
