namespace TinyLlm.Engine.Tests;

/// <summary>
/// Rotary positions by Hugging Face's modeling_rope_utils: rotate_half on the first dimensions of a head. Dynamic scaling as token by token
/// decoding has it.
/// </summary>
internal sealed class NaiveRope(NaiveConfig? scaling, double theta, int size, int maxPositions, int originalPositions)
{
    public double[] Turn(double[] head, int position)
    {
        double[] turned = [.. head];
        for (int i = 0; i < size / 2; i++)
        {
            double angle = position * Frequency(i, position), factor = AttentionFactor();
            (double sine, double cosine) = (Math.Sin(angle) * factor, Math.Cos(angle) * factor);
            turned[i] = head[i] * cosine - head[i + size / 2] * sine;
            turned[i + size / 2] = head[i + size / 2] * cosine + head[i] * sine;
        }
        return turned;
    }

    private string Kind => scaling is null ? "default" : scaling.Text("rope_type", scaling.Text("type", "default"));

    private double Frequency(int pair, int position)
    {
        double plain = Math.Pow(theta, -2.0 * pair / size);
        switch (Kind)
        {
            case "linear":
                return plain / scaling!.Number("factor");
            case "dynamic":
                double length = Math.Max(position + 1, maxPositions), factor = scaling!.Number("factor");
                return Math.Pow(theta * Math.Pow(factor * length / maxPositions - (factor - 1), size / (size - 2.0)), -2.0 * pair / size);
            case "llama3":
                return Llama3(plain);
            case "yarn":
                return Yarn(plain, pair);
            case "longrope":
                return plain / scaling!.Numbers("short_factor")[pair];
            default:
                return plain;
        }
    }

    private double AttentionFactor()
    {
        if (Kind == "longrope") return Math.Sqrt(1 + Math.Log((double)maxPositions / originalPositions) / Math.Log(originalPositions));
        if (Kind != "yarn") return 1;
        double factor = scaling!.Number("factor"), own = scaling.Number("mscale"), all = scaling.Number("mscale_all_dim");
        if (scaling.Has("attention_factor")) return scaling.Number("attention_factor");
        return own != 0 && all != 0 ? (0.1 * own * Math.Log(factor) + 1) / (0.1 * all * Math.Log(factor) + 1) : 0.1 * Math.Log(factor) + 1;
    }

    /// <summary>By wavelength, in three ranges, as Meta's reference code states it.</summary>
    private double Llama3(double plain)
    {
        double wavelength = 2 * Math.PI / plain, original = scaling!.Number("original_max_position_embeddings"), factor = scaling.Number("factor");
        double low = scaling.Number("low_freq_factor"), high = scaling.Number("high_freq_factor");
        if (wavelength > original / low) return plain / factor;
        if (wavelength < original / high) return plain;
        double smooth = (original / wavelength - low) / (high - low);
        return (1 - smooth) * plain / factor + smooth * plain;
    }

    private double Yarn(double plain, int pair)
    {
        double original = scaling!.Number("original_max_position_embeddings", maxPositions);
        double Border(double turns) => size * Math.Log(original / (turns * 2 * Math.PI)) / (2 * Math.Log(theta));
        double low = Border(scaling.Number("beta_fast", 32)), high = Border(scaling.Number("beta_slow", 1));
        if (scaling.Flag("truncate", true)) (low, high) = (Math.Floor(low), Math.Ceiling(high));
        (low, high) = (Math.Max(low, 0), Math.Min(high, size - 1));
        if (low == high) high += 0.001;
        double interpolated = Math.Clamp((pair - low) / (high - low), 0, 1);
        return interpolated * plain / scaling.Number("factor") + (1 - interpolated) * plain;
    }
}
