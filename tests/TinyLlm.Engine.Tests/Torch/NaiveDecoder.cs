using System.Runtime.InteropServices;
using TinyLlm.SafeTensors;

namespace TinyLlm.Engine.Tests;

/// <summary>
/// The forward pass as the papers write it, in double precision, one position at a time, without cache or tensor library. Shares no code with
/// the engine but the reader of files; written from the architectures' descriptions to catch the engine's mistakes.
/// </summary>
internal sealed class NaiveDecoder
{
    private readonly Dictionary<string, double[]> _weights = new(StringComparer.Ordinal);
    private readonly DecoderConfig _config;

    public NaiveDecoder(string folder, DecoderConfig config)
    {
        _config = config;
        using SafeTensorsFile file = SafeTensorsFile.Open(Path.Combine(folder, "model.safetensors"));
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
                    _ => BitConverter.UInt32BitsToSingle((uint)MemoryMarshal.Cast<byte, ushort>(bytes)[i] << 16),
                };
            }
            _weights.Add(info.Name, values);
        }
    }

    /// <summary>The logits after the last of these ids.</summary>
    public double[] Logits(int[] ids)
    {
        int hidden = _config.HiddenSize;
        double[][] stream = [.. ids.Select(id => _weights["model.embed_tokens.weight"][(id * hidden)..((id + 1) * hidden)])];
        for (int layer = 0; layer < _config.LayerCount; layer++)
        {
            string prefix = $"model.layers.{layer}.";
            double[][] attended = Attend(prefix, [.. stream.Select(x => Norm(x, prefix + "input_layernorm.weight"))]);
            for (int t = 0; t < ids.Length; t++)
            {
                stream[t] = Sum(stream[t], attended[t]);
                double[] normed = Norm(stream[t], prefix + "post_attention_layernorm.weight");
                double[] gate = Linear(normed, prefix + "mlp.gate_proj"), up = Linear(normed, prefix + "mlp.up_proj");
                for (int i = 0; i < gate.Length; i++) gate[i] = gate[i] / (1 + Math.Exp(-gate[i])) * up[i];
                stream[t] = Sum(stream[t], Linear(gate, prefix + "mlp.down_proj"));
            }
        }
        return Linear(Norm(stream[^1], "model.norm.weight"), _config.TiedEmbeddings ? "model.embed_tokens" : "lm_head");
    }

    private double[][] Attend(string prefix, double[][] normed)
    {
        int size = _config.HeadSize, group = _config.HeadCount / _config.KeyValueHeadCount;
        double[][] queries = new double[normed.Length][], keys = new double[normed.Length][], values = new double[normed.Length][], output = new double[normed.Length][];
        for (int t = 0; t < normed.Length; t++)
        {
            queries[t] = Positioned(Linear(normed[t], prefix + "self_attn.q_proj"), prefix + "self_attn.q_norm.weight", t);
            keys[t] = Positioned(Linear(normed[t], prefix + "self_attn.k_proj"), prefix + "self_attn.k_norm.weight", t);
            values[t] = Linear(normed[t], prefix + "self_attn.v_proj");
            double[] heads = new double[_config.HeadCount * size];
            for (int head = 0; head < _config.HeadCount; head++)
            {
                int query = head * size, key = head / group * size;
                double[] weights = new double[t + 1];
                for (int s = 0; s <= t; s++)
                {
                    for (int i = 0; i < size; i++) weights[s] += queries[t][query + i] * keys[s][key + i];
                    weights[s] = Math.Exp(weights[s] / Math.Sqrt(size));
                }
                for (int s = 0; s <= t; s++)
                {
                    for (int i = 0; i < size; i++) heads[query + i] += weights[s] / weights.Sum() * values[s][key + i];
                }
            }
            output[t] = Linear(heads, prefix + "self_attn.o_proj");
        }
        return output;
    }

    private double[] Positioned(double[] heads, string norm, int position)
    {
        int size = _config.HeadSize;
        List<double> result = [];
        foreach (double[] chunk in heads.Chunk(size))
        {
            double[] head = _weights.ContainsKey(norm) ? Norm(chunk, norm) : chunk, turned = new double[size];
            for (int i = 0; i < size / 2; i++)
            {
                double angle = position * Frequency(i);
                turned[i] = head[i] * Math.Cos(angle) - head[i + size / 2] * Math.Sin(angle);
                turned[i + size / 2] = head[i + size / 2] * Math.Cos(angle) + head[i] * Math.Sin(angle);
            }
            result.AddRange(turned);
        }
        return [.. result];
    }

    /// <summary>Llama 3.1's rule as Meta's reference code states it: by wavelength, in three ranges.</summary>
    private double Frequency(int pair)
    {
        RopeOptions rope = _config.Rope;
        double plain = Math.Pow(rope.Theta, -2.0 * pair / _config.HeadSize);
        if (rope.Scaling == RopeScaling.Linear) return plain / rope.Factor;
        if (rope.Scaling == RopeScaling.Default) return plain;
        double turns = rope.OriginalContextLength * plain / (2 * Math.PI);
        if (turns < rope.LowFrequencyFactor) return plain / rope.Factor;
        if (turns > rope.HighFrequencyFactor) return plain;
        double smooth = (turns - rope.LowFrequencyFactor) / (rope.HighFrequencyFactor - rope.LowFrequencyFactor);
        return plain * (smooth + (1 - smooth) / rope.Factor);
    }

    private double[] Norm(double[] x, string name)
    {
        double root = Math.Sqrt(x.Select(value => value * value).Average() + _config.NormEpsilon);
        return [.. x.Zip(_weights[name], (value, weight) => value / root * weight)];
    }

    private double[] Linear(double[] x, string name)
    {
        double[] matrix = _weights[name + ".weight"], result = new double[matrix.Length / x.Length];
        _weights.TryGetValue(name + ".bias", out double[]? bias);
        for (int row = 0; row < result.Length; row++)
        {
            result[row] = bias?[row] ?? 0;
            for (int i = 0; i < x.Length; i++) result[row] += matrix[row * x.Length + i] * x[i];
        }
        return result;
    }

    private static double[] Sum(double[] a, double[] b) => [.. a.Zip(b, (x, y) => x + y)];
}
