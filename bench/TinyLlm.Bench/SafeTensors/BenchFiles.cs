using TinyLlm.SafeTensors;

namespace TinyLlm.Bench.SafeTensors;

/// <summary>The models that the SafeTensors benchmarks read and write.</summary>
internal static class BenchFiles
{
    /// <summary>300 F32 tensors of 50,000 elements with the names of a decoder: 60 MB.</summary>
    public static IReadOnlyList<TensorSource> SixtyMegabytes()
    {
        byte[] bytes = new byte[200_000];
        Random.Shared.NextBytes(bytes);
        IEnumerable<string> names = Enumerable.Range(0, 300).Select(i => $"model.layers.{i / 10}.block.{i % 10}.weight");
        return [.. names.Select(name => new TensorSource(name, DType.F32, [250, 200], bytes))];
    }

    /// <summary>As many tensors as a file may have, of 4 bytes each: all header.</summary>
    public static IReadOnlyList<TensorSource> MostTensors() =>
        [.. Enumerable.Range(0, SafeTensorsLimits.MaxTensors).Select(i => new TensorSource($"model.layers.{i}.weight", DType.F32, [1], new byte[4]))];
}
