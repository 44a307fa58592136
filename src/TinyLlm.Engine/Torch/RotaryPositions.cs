using static TorchSharp.torch;

namespace TinyLlm.Engine;

/// <summary>
/// Cosines and sines of the positions of one forward pass (Su et al., 2021), for the layers that share a rotation. Made per pass, not as a
/// table of the context: a pass has few rows, and contexts go to millions. N rows, D head size, R dimensions that turn.
/// </summary>
internal sealed class RotaryPositions : IDisposable
{
    private readonly RopeOptions _rope;
    private readonly int _headSize;
    private readonly Device _device;
    private readonly float[] _frequencies;
    private readonly Tensor? _partners;

    /// <param name="layer">A layer of those that share it.</param>
    /// <param name="headSize">D.</param>
    /// <param name="device">Where the tables go.</param>
    public RotaryPositions(LayerOptions layer, int headSize, Device device)
    {
        _rope = layer.Rope ?? throw new ArgumentException("the layer has no rotation", nameof(layer));
        QueryScale = layer.AttentionScale;
        (_headSize, _device) = (headSize, device);
        _frequencies = RopeFrequencies.Of(_rope, 1);
        if (_rope.RotarySize < headSize) _partners = Partners();
    }

    /// <summary>What queries are multiplied with, beside being turned.</summary>
    public double QueryScale { get; }

    /// <summary>Whether the layer shares these.</summary>
    public bool Serves(LayerOptions layer) => layer.Rope == _rope && layer.AttentionScale == QueryScale;

    /// <summary>
    /// Four tables in one, (4, N, 1, D): cosines and signed sines for queries, scaled, and for keys.
    /// The sine of the first half of a head is negative: x cos + partner(x) sin then rotates the pairs (i, i + R / 2).
    /// </summary>
    public RotaryTables Tables(ReadOnlySpan<int> positions)
    {
        int half = _frequencies.Length, turned = 2 * half, table = positions.Length * _headSize;
        float scale = (float)QueryScale, attention = (float)_rope.AttentionFactor;
        float[] tables = new float[4 * table];
        for (int row = 0; row < positions.Length; row++)
        {
            int begin = row * _headSize;
            float[] frequencies = FrequenciesAt(positions[row]);
            for (int i = 0; i < half; i++)
            {
                (float sine, float cosine) = MathF.SinCos(positions[row] * frequencies[i]);
                (sine, cosine) = (sine * attention, cosine * attention);
                int first = begin + i, second = first + half;
                tables[first] = tables[second] = cosine * scale;
                tables[table + first] = -sine * scale;
                tables[table + second] = sine * scale;
                tables[2 * table + first] = tables[2 * table + second] = cosine;
                tables[3 * table + first] = -sine;
                tables[3 * table + second] = sine;
            }
            tables.AsSpan(begin + turned, _headSize - turned).Fill(scale);
            tables.AsSpan(2 * table + begin + turned, _headSize - turned).Fill(1);
        }
        return new RotaryTables(tensor(tables, [4, positions.Length, 1, _headSize], device: _device), half, _partners);
    }

    public void Dispose() => _partners?.Dispose();

    private float[] FrequenciesAt(int position)
    {
        bool isChanged = _rope.Scaling == RopeScaling.Dynamic && position >= _rope.OriginalContextLength;
        return isChanged ? RopeFrequencies.Of(_rope, position + 1) : _frequencies;
    }

    /// <summary>Which dimension each one turns with; those that do not turn stand for themselves, and their sine is zero.</summary>
    private Tensor Partners()
    {
        int half = _rope.RotarySize / 2;
        long[] partners = [.. Enumerable.Range(0, _headSize).Select(i => i < half ? i + half : i < 2 * half ? i - half : (long)i)];
        return tensor(partners, device: _device);
    }
}
