using TinyLlm.SafeTensors;

namespace TinyLlm.Engine;

/// <summary>A file of weights that is mapped: its bytes are the file's pages.</summary>
internal sealed class MappedWeights(SafeTensorsFile file) : WeightFile(file.Header)
{
    public override void Dispose() => file.Dispose();

    internal override unsafe byte* Pointer(TensorInfo tensor) => file.GetPointer(tensor);
}
