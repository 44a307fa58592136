using TorchSharp;
using static TorchSharp.torch;

namespace TinyLlm.Engine;

/// <summary>The decoder on libtorch: on the CPU, where weights of the computation's precision stay in their mapped files, or on a CUDA device.</summary>
public sealed class TorchBackend : IDecoderBackend
{
    private const double BudgetShare = 0.6;

    private readonly Device _device;
    private readonly int _threads;
    private readonly ComputePrecision _precision;

    /// <summary>Finds the device.</summary>
    /// <exception cref="ArgumentException">There is no such device.</exception>
    public TorchBackend(TorchBackendOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _threads = options.Threads ?? Environment.ProcessorCount;
        ArgumentOutOfRangeException.ThrowIfLessThan(_threads, 1, nameof(options));
        _precision = options.Precision;
        _device = Find(options.Device);
        bool isCpu = _device.type == DeviceType.CPU;
        Device = new EngineDeviceInfo(
            isCpu ? "cpu" : "cuda",
            isCpu ? $"{Environment.ProcessorCount} processors, {_threads} threads" : _device.ToString(),
            options.BudgetBytes ?? (long)(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes * BudgetShare));
    }

    /// <inheritdoc/>
    public EngineDeviceInfo Device { get; }

    /// <inheritdoc/>
    public long LiveTensors => Tensor.TotalCount;

    /// <inheritdoc/>
    public long WeightBytes(DecoderConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        return CheckpointLayout.WeightBytes(config, _precision);
    }

    /// <inheritdoc/>
    public IDecoder Load(Checkpoint checkpoint)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        return new TorchDecoder(checkpoint, _device, _threads, _precision);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private static Device Find(string name)
    {
        bool hasCuda = cuda.is_available();
        if (name == "cpu" || (name == "auto" && !hasCuda)) return CPU;
        if (name == "auto") return CUDA;
        int index = 0;
        bool isCuda = name == "cuda" || (name.StartsWith("cuda:", StringComparison.Ordinal) && int.TryParse(name.AsSpan(5), out index));
        if (!isCuda) throw new ArgumentException($"device is '{name}', and must be auto, cpu, cuda or cuda:N");
        int count = hasCuda ? cuda.device_count() : 0;
        if (index < 0 || index >= count) throw new ArgumentException($"device is '{name}', and this process sees {count} CUDA devices: choose auto or cpu");
        return torch.device(DeviceType.CUDA, index);
    }
}
