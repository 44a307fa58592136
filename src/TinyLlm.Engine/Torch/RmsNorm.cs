using static TorchSharp.torch;

namespace TinyLlm.Engine;

/// <summary>
/// x / sqrt(mean(x^2) + eps) * w over the last dimension (Zhang and Sennrich, 2019) in four operators:
/// with n elements it equals x / hypot(|x|, sqrt(n eps)) * (w sqrt(n)).
/// </summary>
internal sealed class RmsNorm : IDisposable
{
    private readonly Tensor _weight, _floor;

    public RmsNorm(Checkpoint checkpoint, string name, int size, double epsilon, Device device)
    {
        using Tensor weight = MappedTensors.Load(checkpoint, name, device);
        using Tensor root = tensor((float)Math.Sqrt(size), device: device);
        _weight = weight.mul(root);
        _floor = tensor((float)Math.Sqrt(size * epsilon), device: device);
    }

    /// <summary>A new tensor of the shape of <paramref name="x"/>.</summary>
    public Tensor Forward(Tensor x) => x.div(x.norm(-1, true, 2f).hypot(_floor)).mul_(_weight);

    public void Dispose()
    {
        _weight.Dispose();
        _floor.Dispose();
    }
}
