using TinyLlm.SafeTensors;

namespace TinyLlm.Engine;

/// <summary>
/// One file of weights in memory: a validated header, and where each tensor's bytes lie. Either the pages of a local file or a
/// <see cref="WeightBuffer"/>. Knows no configuration.
/// </summary>
public abstract class WeightFile : IDisposable
{
    private protected WeightFile(SafeTensorsHeader header) => Header = header;

    /// <summary>What the file holds.</summary>
    public SafeTensorsHeader Header { get; }

    /// <summary>Frees or unmaps the memory. Nobody may read it afterwards.</summary>
    public abstract void Dispose();

    /// <summary>The first of the tensor's bytes, valid until <see cref="Dispose"/>.</summary>
    internal abstract unsafe byte* Pointer(TensorInfo tensor);
}
