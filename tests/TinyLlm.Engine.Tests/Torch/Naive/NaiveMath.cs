namespace TinyLlm.Engine.Tests;

/// <summary>What every family has: sums, nonlinearities and attention.</summary>
internal static class NaiveMath
{
    public static double[] Sum(double[] a, double[] b) => [.. a.Zip(b, (x, y) => x + y)];

    public static double[] Scale(double[] x, double factor) => [.. x.Select(value => value * factor)];

    public static double[][] Heads(double[] x, int size) => [.. x.Chunk(size)];

    public static double[] Activate(string name, double[] x) => [.. x.Select(value => name switch
    {
        "silu" => value / (1 + Math.Exp(-value)),
        "relu" => Math.Max(value, 0),
        "gelu" => 0.5 * value * (1 + Erf(value / Math.Sqrt(2))),
        "gelu_new" or "gelu_pytorch_tanh" => 0.5 * value * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (value + 0.044715 * Math.Pow(value, 3)))),
        "gelu_fast" => 0.5 * value * (1 + Math.Tanh(value * 0.7978845608 * (1 + 0.044715 * value * value))),
        _ => throw new InvalidDataException(name),
    })];

    public static double[] Cap(double[] x, double cap) => cap == 0 ? x : [.. x.Select(value => cap * Math.Tanh(value / cap))];

    /// <summary>Causal attention. Queries are [time][head][dimension], keys and values [time][key head][dimension]; answers [time][all heads].</summary>
    public static double[][] Attend(double[][][] queries, double[][][] keys, double[][][] values, double scale, int window = int.MaxValue, double cap = 0)
    {
        int group = queries[0].Length / keys[0].Length;
        double[][] result = new double[queries.Length][];
        for (int t = 0; t < queries.Length; t++)
        {
            List<double> all = [];
            for (int head = 0; head < queries[t].Length; head++)
            {
                int first = Math.Max(0, t - window + 1);
                double[] scores = new double[t + 1 - first];
                for (int s = first; s <= t; s++) scores[s - first] = queries[t][head].Zip(keys[s][head / group], (q, k) => q * k).Sum() * scale;
                scores = Cap(scores, cap);
                double most = scores.Max(), sum = scores.Sum(score => Math.Exp(score - most));
                double[] mixed = new double[values[0][0].Length];
                for (int s = first; s <= t; s++)
                {
                    for (int i = 0; i < mixed.Length; i++) mixed[i] += Math.Exp(scores[s - first] - most) / sum * values[s][head / group][i];
                }
                all.AddRange(mixed);
            }
            result[t] = [.. all];
        }
        return result;
    }

    /// <summary>The series whose terms are all of one sign: 2/sqrt(pi) e^(-x^2) sum 2^n x^(2n+1) / (1 3 5 ... (2n+1)).</summary>
    private static double Erf(double x)
    {
        if (Math.Abs(x) > 6) return Math.Sign(x);
        double term = x, sum = x;
        for (int n = 1; Math.Abs(term) > 1e-18; n++)
        {
            term *= 2 * x * x / (2 * n + 1);
            sum += term;
        }
        return 2 / Math.Sqrt(Math.PI) * Math.Exp(-x * x) * sum;
    }
}
