using TinyLlm.Engine;

namespace TinyLlm.Grains.Residency;

/// <summary>The one device that a silo generates on, opened before the silo starts, because its metadata tell what it is.</summary>
public sealed class Accelerator : IDisposable
{
    /// <param name="backend">What computes; disposed with the silo.</param>
    public Accelerator(IDecoderBackend backend) => Backend = backend;

    /// <summary>"cuda" or "cpu".</summary>
    public string Kind => Backend.Device.Kind;

    /// <summary>The device's own name.</summary>
    public string Name => Backend.Device.Name;

    /// <summary>Bytes for weights and caches together.</summary>
    public long BudgetBytes => Backend.Device.BudgetBytes;

    internal IDecoderBackend Backend { get; }

    /// <summary>Frees the device, also where no session ever ran and no loop was made that does. Again does nothing.</summary>
    public void Dispose() => Backend.Dispose();

    /// <summary>
    /// Opens libtorch's device: <paramref name="device"/> is auto, cpu or cuda; null leaves budget and threads to the engine. Throws
    /// <see cref="ArgumentException"/> for a device that is not there.
    /// </summary>
    public static Accelerator OpenTorch(string device, long? budgetBytes, int? threads) =>
        new(new TorchBackend(new TorchBackendOptions { Device = device, BudgetBytes = budgetBytes, Threads = threads }));
}
