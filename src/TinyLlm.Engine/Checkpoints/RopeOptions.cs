namespace TinyLlm.Engine;

/// <summary>Rotary positions, rotating the pairs (i, i + D/2) of each head.</summary>
/// <param name="Theta">Base of the frequencies.</param>
/// <param name="Scaling">How they are changed; the other parameters serve it.</param>
/// <param name="Factor">By how much the context grew.</param>
/// <param name="LowFrequencyFactor">Llama3: wavelengths beyond the original context over this are scaled fully.</param>
/// <param name="HighFrequencyFactor">Llama3: wavelengths below the original context over this are kept.</param>
/// <param name="OriginalContextLength">Llama3: the context that the model was first trained for.</param>
public sealed record RopeOptions(
    double Theta,
    RopeScaling Scaling = RopeScaling.Default,
    double Factor = 1,
    double LowFrequencyFactor = 1,
    double HighFrequencyFactor = 1,
    int OriginalContextLength = 1)
{
    /// <summary>The angle per position of each of a head's D/2 pairs, in single precision as the reference computes it.</summary>
    internal float[] Frequencies(int headSize)
    {
        float[] frequencies = new float[headSize / 2];
        for (int i = 0; i < frequencies.Length; i++) frequencies[i] = (float)Scale(1 / Math.Pow(Theta, 2.0 * i / headSize));
        return frequencies;
    }

    private double Scale(double frequency)
    {
        if (Scaling == RopeScaling.Default) return frequency;
        if (Scaling == RopeScaling.Linear) return frequency / Factor;
        double wavelength = 2 * Math.PI / frequency;
        if (wavelength > OriginalContextLength / LowFrequencyFactor) return frequency / Factor;
        if (wavelength < OriginalContextLength / HighFrequencyFactor) return frequency;
        double kept = (OriginalContextLength / wavelength - LowFrequencyFactor) / (HighFrequencyFactor - LowFrequencyFactor);
        return (1 - kept) * frequency / Factor + kept * frequency;
    }
}
