namespace TinyLlm.Engine;

/// <summary>
/// The forward pass on one device, and nothing else: sampling, batching and queues live above it. A decoder, once it is made, is used by one thread
/// only; it is made by another, one at a time, and freed by another when its use is over, while that thread uses others.
/// </summary>
public interface IDecoderBackend : IDisposable
{
    /// <summary>What it computes on.</summary>
    EngineDeviceInfo Device { get; }

    /// <summary>Tensors that exist now: back to its baseline when nothing is loaded. May be read by any thread.</summary>
    long LiveTensors { get; }

    /// <summary>Bytes that a model's weights will occupy once loaded, in place or copied. May be called by any thread.</summary>
    long WeightBytes(DecoderConfig config);

    /// <summary>
    /// Makes a decoder of a validated checkpoint. The decoder keeps the checkpoint's files mapped until it is disposed, whatever becomes of
    /// <paramref name="checkpoint"/>.
    /// </summary>
    IDecoder Load(Checkpoint checkpoint);
}
