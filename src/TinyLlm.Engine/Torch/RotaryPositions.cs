using static TorchSharp.torch;

namespace TinyLlm.Engine;

/// <summary>
/// Cosines and sines of the positions of one forward pass (Su et al., 2021). Made per pass, not as a table of the context: a pass has
/// few rows, and contexts go to millions. N rows, D head size.
/// </summary>
internal sealed class RotaryPositions(DecoderConfig config, Device device)
{
    private readonly float[] _frequencies = config.Rope.Frequencies(config.HeadSize);

    /// <summary>
    /// Four tables in one, (4, N, 1, D): cosines and signed sines for queries, scaled by 1 / sqrt(D) as attention wants them, and for keys.
    /// The sine of the first half of a head is negative: x cos + roll(x, D / 2) sin then rotates the pairs (i, i + D / 2).
    /// </summary>
    public Tensor Tables(ReadOnlySpan<int> positions)
    {
        int half = _frequencies.Length, size = 2 * half, table = positions.Length * size;
        float scale = (float)(1 / Math.Sqrt(size));
        float[] tables = new float[4 * table];
        for (int row = 0; row < positions.Length; row++)
        {
            for (int i = 0; i < half; i++)
            {
                (float sine, float cosine) = MathF.SinCos(positions[row] * _frequencies[i]);
                int first = row * size + i, second = first + half;
                tables[first] = tables[second] = cosine * scale;
                tables[table + first] = -sine * scale;
                tables[table + second] = sine * scale;
                tables[2 * table + first] = tables[2 * table + second] = cosine;
                tables[3 * table + first] = -sine;
                tables[3 * table + second] = sine;
            }
        }
        return tensor(tables, [4, positions.Length, 1, size], device: device);
    }
}
