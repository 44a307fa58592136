namespace TinyLlm.Engine;

/// <summary>The angle per position of each pair, in single precision as the reference computes it.</summary>
internal static class RopeFrequencies
{
    /// <summary>The R/2 frequencies for a token read when the sequence has <paramref name="length"/> tokens; only Dynamic asks for it.</summary>
    public static float[] Of(RopeOptions rope, int length)
    {
        int size = rope.RotarySize;
        double theta = rope.Scaling == RopeScaling.Dynamic ? DynamicTheta(rope, length) : rope.Theta;
        float[] frequencies = new float[size / 2];
        for (int pair = 0; pair < frequencies.Length; pair++)
        {
            double plain = Math.Pow(theta, -2.0 * pair / size);
            frequencies[pair] = (float)(rope.Scaling switch
            {
                RopeScaling.Linear => plain / rope.Factor,
                RopeScaling.Llama3 => Llama3(rope, plain),
                RopeScaling.Yarn => Yarn(rope, pair, plain),
                RopeScaling.PerPair => plain / rope.PairFactors[pair],
                _ => plain,
            });
        }
        return frequencies;
    }

    private static double DynamicTheta(RopeOptions rope, int length)
    {
        if (length <= rope.OriginalContextLength) return rope.Theta;
        double size = rope.RotarySize, grown = rope.Factor * length / rope.OriginalContextLength - (rope.Factor - 1);
        return rope.Theta * Math.Pow(grown, size / (size - 2));
    }

    private static double Llama3(RopeOptions rope, double plain)
    {
        double turns = rope.OriginalContextLength * plain / (2 * Math.PI);
        if (turns < rope.LowFrequencyFactor) return plain / rope.Factor;
        if (turns > rope.HighFrequencyFactor) return plain;
        double kept = (turns - rope.LowFrequencyFactor) / (rope.HighFrequencyFactor - rope.LowFrequencyFactor);
        return (1 - kept) * plain / rope.Factor + kept * plain;
    }

    private static double Yarn(RopeOptions rope, int pair, double plain)
    {
        double first = PairThatTurns(rope, rope.HighFrequencyFactor), last = PairThatTurns(rope, rope.LowFrequencyFactor);
        if (rope.HasWholeBorders) (first, last) = (Math.Floor(first), Math.Ceiling(last));
        (first, last) = (Math.Max(first, 0), Math.Min(last, rope.RotarySize - 1));
        // As the reference: borders that meet are kept apart.
        if (first == last) last += 0.001;
        double scaled = Math.Clamp((pair - first) / (last - first), 0, 1);
        return scaled * plain / rope.Factor + (1 - scaled) * plain;
    }

    /// <summary>The pair, as a fraction of pairs, that turns this often within the original context.</summary>
    private static double PairThatTurns(RopeOptions rope, double turns) =>
        rope.RotarySize * Math.Log(rope.OriginalContextLength / (turns * 2 * Math.PI)) / (2 * Math.Log(rope.Theta));
}
