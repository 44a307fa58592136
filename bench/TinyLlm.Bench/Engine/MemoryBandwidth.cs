using System.Diagnostics;
using System.Numerics;

namespace TinyLlm.Bench.Engine;

/// <summary>How fast all processors together read memory: what bounds decoding, which reads every weight once per step.</summary>
internal static class MemoryBandwidth
{
    // Larger than any cache of the machine, and the best of several passes: a ceiling is what is possible.
    private const int BytesPerProcessor = 512 << 20;
    private const int Passes = 7;

    /// <summary>Bytes per second.</summary>
    public static double Measure()
    {
        int processors = Environment.ProcessorCount;
        float[][] blocks = [.. Enumerable.Range(0, processors).Select(_ => new float[BytesPerProcessor / sizeof(float)])];
        foreach (float[] block in blocks) Array.Fill(block, 1f);
        double best = 0;
        for (int pass = 0; pass < Passes; pass++)
        {
            long start = Stopwatch.GetTimestamp();
            Parallel.ForEach(blocks, new ParallelOptions { MaxDegreeOfParallelism = processors }, static block => Sum(block));
            best = Math.Max(best, (double)BytesPerProcessor * processors / Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        return best;
    }

    private static float Sum(float[] block)
    {
        int width = Vector<float>.Count;
        Vector<float> a = default, b = default, c = default, d = default;
        for (int i = 0; i < block.Length; i += 4 * width)
        {
            a += new Vector<float>(block, i);
            b += new Vector<float>(block, i + width);
            c += new Vector<float>(block, i + 2 * width);
            d += new Vector<float>(block, i + 3 * width);
        }
        return Vector.Sum(a + b + c + d);
    }
}
