namespace TinyLlm.Engine;

/// <summary>
/// Chooses and runs one model's batch: one token of every sequence that decodes and is not paused, and chunks of prompts up to a bound, callers
/// with the least service first. Holds the batch's memory between the steps. The loop's thread owns it.
/// </summary>
internal sealed class BatchRunner(CallerShares shares, int prefillTokens)
{
    private readonly Sampler _sampler = new();
    private readonly List<Sequence> _batch = [];
    private readonly List<DecoderInput> _inputs = [];
    private float[] _logits = [];
    private int _vocabularySize;

    /// <summary>The sequences of <paramref name="model"/> that the next <see cref="Forward"/> runs.</summary>
    public Sequence[] Choose(List<Sequence> running, ResidentModel model)
    {
        _batch.Clear();
        _inputs.Clear();
        foreach (Sequence sequence in running)
        {
            if (sequence.Model == model && !sequence.IsPrefilling && sequence.StalledSince is null) Add(sequence, sequence.LastToken);
        }
        int left = prefillTokens;
        foreach (Sequence sequence in running.Where(sequence => sequence.Model == model && sequence.IsPrefilling).OrderBy(sequence => shares.Service(sequence.Request.Caller)))
        {
            if (left == 0) break;
            int done = sequence.Cache!.Length, count = Math.Min(left, sequence.Request.PromptIds.Length - done);
            Add(sequence, sequence.Request.PromptIds.AsMemory().Slice(done, count));
            shares.ChargeInput(sequence.Request.Caller, count);
            left -= count;
        }
        return [.. _batch];
    }

    /// <summary>Runs what was chosen.</summary>
    public void Forward(ResidentModel model)
    {
        _vocabularySize = model.Config.VocabularySize;
        int count = checked(_batch.Count * _vocabularySize);
        if (_logits.Length < count) _logits = new float[count];
        model.Decoder.Forward(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_inputs), _logits.AsSpan(0, count));
    }

    /// <summary>The next token of the sequence that was the batch's <paramref name="row"/>th.</summary>
    public int Sample(Sequence sequence, int row)
    {
        shares.ChargeOutput(sequence.Request.Caller, 1);
        return _sampler.Sample(_logits.AsSpan(row * _vocabularySize, _vocabularySize), sequence.Request.Sampling, sequence.Random);
    }

    private void Add(Sequence sequence, ReadOnlyMemory<int> ids)
    {
        _batch.Add(sequence);
        _inputs.Add(new DecoderInput(sequence.Cache!, ids));
    }
}
