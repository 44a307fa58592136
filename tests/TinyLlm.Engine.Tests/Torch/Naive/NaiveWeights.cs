using System.Runtime.InteropServices;
using TinyLlm.SafeTensors;

namespace TinyLlm.Engine.Tests;

/// <summary>A file's tensors in double precision. Names may lack the prefix that they are asked for with.</summary>
internal sealed class NaiveWeights
{
    private readonly Dictionary<string, (double[] Values, int Columns)> _tensors = new(StringComparer.Ordinal);

    public NaiveWeights(string path)
    {
        using SafeTensorsFile file = SafeTensorsFile.Open(path);
        foreach (TensorInfo info in file.Header.Tensors)
        {
            ReadOnlySpan<byte> bytes = file.GetBytes(info);
            double[] values = new double[info.ElementCount];
            for (int i = 0; i < values.Length; i++)
            {
                values[i] = info.DType switch
                {
                    DType.F32 => MemoryMarshal.Cast<byte, float>(bytes)[i],
                    DType.F16 => (double)MemoryMarshal.Cast<byte, Half>(bytes)[i],
                    DType.BF16 => BitConverter.UInt32BitsToSingle((uint)MemoryMarshal.Cast<byte, ushort>(bytes)[i] << 16),
                    _ => bytes[i],
                };
            }
            _tensors.Add(info.Name, (values, info.Shape.Length == 0 ? 1 : (int)info.Shape[^1]));
        }
    }

    public double[] this[string name] => Find(name).Values;

    public bool Has(string name) => _tensors.ContainsKey(name);

    public double[] Row(string name, int row)
    {
        (double[] values, int columns) = Find(name);
        return values[(row * columns)..((row + 1) * columns)];
    }

    /// <summary>The linear layer NAME, stored as (out, in), with its bias if the file has one.</summary>
    public double[] Linear(string name, double[] x)
    {
        double[] result = Times(name, x);
        return TryFind(name + ".bias", out (double[] Values, int Columns) bias) ? NaiveMath.Sum(result, bias.Values) : result;
    }

    /// <summary>The same without bias.</summary>
    public double[] Times(string name, double[] x)
    {
        (double[] matrix, int columns) = Find(name + ".weight");
        double[] result = new double[matrix.Length / columns];
        for (int row = 0; row < result.Length; row++)
        {
            for (int i = 0; i < columns; i++) result[row] += matrix[row * columns + i] * x[i];
        }
        return result;
    }

    /// <summary>GPT-2's Conv1D NAME: stored as (in, out), with a bias.</summary>
    public double[] Conv(string name, double[] x)
    {
        (double[] matrix, int columns) = Find(name + ".weight");
        double[] result = [.. this[name + ".bias"]];
        for (int i = 0; i < x.Length; i++)
        {
            for (int column = 0; column < columns; column++) result[column] += x[i] * matrix[i * columns + column];
        }
        return result;
    }

    public double[] LayerNorm(string name, double[] x, double epsilon)
    {
        double mean = x.Average(), variance = x.Select(value => (value - mean) * (value - mean)).Average();
        double[] weight = this[name + ".weight"], bias = this[name + ".bias"];
        return [.. x.Select((value, i) => (value - mean) / Math.Sqrt(variance + epsilon) * weight[i] + bias[i])];
    }

    public double[] RmsNorm(string name, double[] x, double epsilon, double from = 0)
    {
        double root = Math.Sqrt(x.Select(value => value * value).Average() + epsilon);
        return [.. x.Zip(this[name + ".weight"], (value, weight) => value / root * (from + weight))];
    }

    private (double[] Values, int Columns) Find(string name) =>
        TryFind(name, out (double[] Values, int Columns) found) ? found : throw new KeyNotFoundException(name);

    private bool TryFind(string name, out (double[] Values, int Columns) found) =>
        _tensors.TryGetValue(name, out found) || _tensors.TryGetValue(name[(name.IndexOf('.', StringComparison.Ordinal) + 1)..], out found);
}
