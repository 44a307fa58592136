using System.Collections.Immutable;

namespace TinyLlm.Engine;

/// <summary>Reads log-probabilities (log-softmax, in f64) off logits. O(V) for each place, and only where they were asked for.</summary>
internal static class LogprobReader
{
    /// <summary>Of <paramref name="logits"/> (V): the log-probability of <paramref name="id"/>, and the <paramref name="top"/> likeliest tokens.</summary>
    public static TokenLogprobs Read(ReadOnlySpan<float> logits, int id, int top)
    {
        float max = float.NegativeInfinity;
        foreach (float logit in logits) max = Math.Max(max, logit);
        double sum = 0;
        foreach (float logit in logits) sum += Math.Exp((double)logit - max);
        double logSum = max + Math.Log(sum);
        return new TokenLogprobs(logits[id] - logSum, Top(logits, Math.Min(top, logits.Length), logSum));
    }

    private static ImmutableArray<RankedToken> Top(ReadOnlySpan<float> logits, int count, double logSum)
    {
        if (count == 0) return [];
        // Insertion into a short sorted list: almost every token is below its end after a few.
        Span<int> ids = count <= 64 ? stackalloc int[count] : new int[count];
        int held = 0;
        for (int id = 0; id < logits.Length; id++)
        {
            if (held == count && !(logits[id] > logits[ids[held - 1]])) continue;
            int at = held < count ? held++ : held - 1;
            for (; at > 0 && logits[id] > logits[ids[at - 1]]; at--) ids[at] = ids[at - 1];
            ids[at] = id;
        }
        ImmutableArray<RankedToken>.Builder ranked = ImmutableArray.CreateBuilder<RankedToken>(held);
        foreach (int id in ids[..held]) ranked.Add(new RankedToken(id, logits[id] - logSum));
        return ranked.MoveToImmutable();
    }
}
