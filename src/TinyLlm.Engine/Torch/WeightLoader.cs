using static TorchSharp.torch;

namespace TinyLlm.Engine;

/// <summary>A checkpoint's weights as tensors on a device: vectors in F32, matrices in the precision of the computation.</summary>
internal sealed class WeightLoader(Checkpoint checkpoint, Device device, ComputePrecision precision)
{
    public DecoderConfig Config => checkpoint.Config;

    public TensorNames Names => checkpoint.Names;

    public Device Device => device;

    public ComputePrecision Precision => precision;

    /// <summary>The tensor NAME.weight of a matrix, as the file has it.</summary>
    public Tensor Matrix(string name) =>
        MappedTensors.Load(checkpoint, name + ".weight", device, precision == ComputePrecision.BF16 ? ScalarType.BFloat16 : ScalarType.Float32);

    /// <summary>The vector of this full name.</summary>
    public Tensor Vector(string name) => MappedTensors.Load(checkpoint, name, device, ScalarType.Float32);
}
