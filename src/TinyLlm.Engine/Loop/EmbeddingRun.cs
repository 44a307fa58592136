namespace TinyLlm.Engine;

/// <summary>The caller's side of a text that is being embedded. Ends exactly once.</summary>
public sealed class EmbeddingRun
{
    private readonly Sequence _sequence;

    internal EmbeddingRun(Sequence sequence, double[] sums)
    {
        _sequence = sequence;
        Completion = CompleteAsync(sequence, sums);
    }

    /// <summary>Completes once the sequence's slot and cache are free. Never faults.</summary>
    public Task<EmbeddingEnd> Completion { get; }

    /// <summary>Ends it before the next turn of the loop. Calling it late or twice does nothing.</summary>
    public void Cancel() => _sequence.Cancel();

    private static async Task<EmbeddingEnd> CompleteAsync(Sequence sequence, double[] sums)
    {
        GenerationEnd end = await sequence.Completion.Task.ConfigureAwait(false);
        if (end.Reason != FinishReason.Stop) return new EmbeddingEnd(end.Reason, [], end.Error);
        // The mean is the sum over the number of ids, which its length then divides out.
        double length = Math.Sqrt(sums.Sum(value => value * value));
        if (!double.IsFinite(length))
            return new EmbeddingEnd(FinishReason.Failed, [], new ModelOutputException(ModelOutputFault.NotFinite, "the model's hidden states hold NaN or infinity: its weights are damaged"));
        return new EmbeddingEnd(end.Reason, [.. sums.Select(value => (float)(length == 0 ? 0 : value / length))], null);
    }
}
