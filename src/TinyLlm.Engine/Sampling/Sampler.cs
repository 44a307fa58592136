namespace TinyLlm.Engine;

/// <summary>
/// Chooses tokens from logits: temperature, then top-k, then top-p, then min-p, then one random number. Holds scratch memory, so one thread uses it;
/// what belongs to a sequence (its random numbers) is passed in.
/// </summary>
internal sealed class Sampler
{
    private float[] _values = [];
    private ulong[] _ranks = [];
    private float[] _kept = [];

    /// <summary>A copy of <paramref name="logits"/> that lasts until the next call.</summary>
    public ReadOnlySpan<float> Keep(ReadOnlySpan<float> logits)
    {
        if (_kept.Length < logits.Length) _kept = new float[logits.Length];
        logits.CopyTo(_kept);
        return _kept.AsSpan(0, logits.Length);
    }

    /// <summary>The id chosen from <paramref name="logits"/> (V). Throws when they hold NaN or no largest finite value.</summary>
    public int Sample(ReadOnlySpan<float> logits, SamplingOptions options, SequenceRandom random)
    {
        int best = IndexOfMax(logits);
        if (options.Temperature == 0) return best;

        // 1. Temperature, relative to the largest logit so that none overflows. 2. Top-k; ties with the k-th stay.
        double temperature = options.Temperature, max = logits[best], total = 0;
        float least = options.TopK > 0 && options.TopK < logits.Length ? KthLargest(logits, options.TopK) : float.NegativeInfinity;
        foreach (float logit in logits)
        {
            if (logit >= least) total += Math.Exp((logit - max) / temperature);
        }

        // 3. Top-p: whatever ranks after the last of the nucleus goes.
        ulong lastRank = options.TopP < 1 ? Nucleus(logits, least, max, options, ref total) : Rank(least, int.MaxValue);

        // 4. Min-p: the likeliest token weighs 1, so a weight is its share of that one's probability.
        double leastWeight = options.MinP;
        if (leastWeight > 0) total = Weigh(logits, lastRank, max, temperature, leastWeight);

        // 5. One number decides, over ids in their order: noise in the logits does not reorder the choice.
        double left = random.NextDouble() * total;
        int chosen = best;
        for (int id = 0; id < logits.Length; id++)
        {
            if (Rank(logits[id], id) > lastRank) continue;
            double weight = Math.Exp((logits[id] - max) / temperature);
            if (weight == 0 || weight < leastWeight) continue;
            chosen = id;
            left -= weight;
            if (left < 0) break;
        }
        return chosen;
    }

    private static double Weigh(ReadOnlySpan<float> logits, ulong lastRank, double max, double temperature, double leastWeight)
    {
        double total = 0;
        for (int id = 0; id < logits.Length; id++)
        {
            if (Rank(logits[id], id) > lastRank) continue;
            double weight = Math.Exp((logits[id] - max) / temperature);
            if (weight >= leastWeight) total += weight;
        }
        return total;
    }

    private static int IndexOfMax(ReadOnlySpan<float> logits)
    {
        int best = 0;
        for (int id = 0; id < logits.Length; id++)
        {
            if (float.IsNaN(logits[id])) throw new ModelOutputException(ModelOutputFault.NotFinite, $"logit {id} is NaN: the model's weights overflow or are damaged");
            if (logits[id] > logits[best]) best = id;
        }
        if (!float.IsFinite(logits[best])) throw new ModelOutputException(ModelOutputFault.NotFinite, $"the largest logit is {logits[best]}: the model's weights overflow or are damaged");
        return best;
    }

    /// <summary>Quickselect (Hoare, 1961), O(V) on average.</summary>
    private float KthLargest(ReadOnlySpan<float> logits, int k)
    {
        if (_values.Length < logits.Length) _values = new float[logits.Length];
        Span<float> values = _values.AsSpan(0, logits.Length);
        logits.CopyTo(values);
        int from = 0, to = values.Length - 1, wanted = k - 1;
        while (from < to)
        {
            float pivot = values[from + (to - from) / 2];
            int i = from, j = to;
            while (i <= j)
            {
                while (values[i] > pivot) i++;
                while (values[j] < pivot) j--;
                if (i > j) break;
                (values[i], values[j]) = (values[j], values[i]);
                i++;
                j--;
            }
            if (wanted <= j) to = j;
            else if (wanted >= i) from = i;
            else break;
        }
        return values[wanted];
    }

    /// <summary>The rank of the last token of the smallest set whose weight reaches top-p of <paramref name="total"/>, which becomes that set's.</summary>
    private ulong Nucleus(ReadOnlySpan<float> logits, float least, double max, SamplingOptions options, ref double total)
    {
        // All tokens lighter than this sum to less than the share that top-p drops, so none of them is in the set: few are left to sort.
        double wanted = options.TopP * total, cutoff = (total - wanted) / logits.Length;
        if (_ranks.Length < logits.Length) _ranks = new ulong[logits.Length];
        int count = 0;
        for (int id = 0; id < logits.Length; id++)
        {
            if (logits[id] >= least && Math.Exp((logits[id] - max) / options.Temperature) >= cutoff) _ranks[count++] = Rank(logits[id], id);
        }
        Array.Sort(_ranks, 0, count);
        double sum = 0;
        for (int i = 0; i < count; i++)
        {
            sum += Math.Exp((logits[(int)(uint)_ranks[i]] - max) / options.Temperature);
            if (sum < wanted && i + 1 < count) continue;
            total = sum;
            return _ranks[i];
        }
        throw new InvalidOperationException("the most likely token is always in the nucleus");
    }

    /// <summary>Orders by logit, largest first, then by id, lowest first.</summary>
    private static ulong Rank(float logit, int id)
    {
        uint bits = BitConverter.SingleToUInt32Bits(logit + 0f);
        uint ascending = (bits & 0x80000000) != 0 ? ~bits : bits | 0x80000000;
        return (ulong)~ascending << 32 | (uint)id;
    }
}
