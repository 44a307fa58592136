using TinyLlm.SafeTensors;
using TinyLlm.Tests;

namespace TinyLlm.Engine.Tests;

/// <summary>Every architecture and every option of one against the naive decoder, at every position.</summary>
[Collection(TorchTests.Name)]
public sealed class ArchitectureTests(ITestOutputHelper output)
{
    // Relative to the largest logit: design's for F32, and three significant digits through a few layers for BF16.
    private const double Tolerance = 1e-4, ShortTolerance = 5e-2;

    private static readonly int[] s_ids = [.. Enumerable.Range(0, 90).Select(i => i * 7 % TinyShapes.Vocabulary)];

    public static TheoryData<string, string> Variants { get; } = ArchitectureVariants.All();

    public static TheoryData<string> Architectures { get; } = [.. TinyShapes.Architectures];

    [Theory]
    [MemberData(nameof(Variants))]
    public void Forward_Variant_EqualsNaive(string architecture, string variant)
    {
        using TinyCheckpoint tiny = ArchitectureVariants.Make(architecture, variant);
        Compare(tiny, ComputePrecision.F32, Tolerance);
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Forward_ShortWeights_EqualNaiveOnTheSameWeights(string architecture)
    {
        foreach (DType dtype in (ReadOnlySpan<DType>)[DType.F16, DType.BF16])
        {
            using TinyCheckpoint tiny = new(architecture);
            foreach (string name in tiny.Tensors.Keys.ToArray()) tiny.Shorten(name, dtype);
            Compare(tiny, ComputePrecision.F32, Tolerance);
        }
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Forward_ShortPrecision_EqualsNaiveToItsDigits(string architecture)
    {
        using TinyCheckpoint tiny = new(architecture);
        Compare(tiny, ComputePrecision.BF16, ShortTolerance);
    }

    private void Compare(TinyCheckpoint tiny, ComputePrecision precision, double tolerance)
    {
        string folder = tiny.Write();
        double[][] expected = NaiveDecoder.Logits(folder, s_ids);
        using Checkpoint checkpoint = Checkpoint.Open(folder);
        using TorchBackend backend = new(new TorchBackendOptions { Device = "cpu", Precision = precision });
        using IDecoder decoder = backend.Load(checkpoint);
        using IKeyValueCache cache = decoder.CreateCache(s_ids.Length);
        double scale = expected.Max(row => row.Max(Math.Abs)), largest = 0;
        foreach (int chunk in (ReadOnlySpan<int>)[41, 1, 9, 39])
        {
            float[] logits = new float[chunk * TinyShapes.Vocabulary];
            int first = cache.Length;
            decoder.Forward([new DecoderInput(cache, s_ids.AsMemory(first, chunk), LogitRows.All)], logits);
            for (int i = 0; i < logits.Length; i++)
                largest = Math.Max(largest, Math.Abs(logits[i] - expected[first + i / TinyShapes.Vocabulary][i % TinyShapes.Vocabulary]) / scale);
        }
        output.WriteLine($"largest difference {largest:e2}, tolerance {tolerance:e2}");
        Assert.InRange(largest, 0, tolerance);
    }
}
