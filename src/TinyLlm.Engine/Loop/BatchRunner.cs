namespace TinyLlm.Engine;

/// <summary>
/// Chooses and runs one model's batch: one token of every sequence that decodes and is not paused, and chunks of prompts up to a bound, callers
/// with the least service first. Holds the batch's memory between the steps. The loop's thread owns it.
/// </summary>
internal sealed class BatchRunner(CallerShares shares, int prefillTokens)
{
    // Logits of one chunk of a prompt whose log-probabilities are wanted: 32 MiB of f32, so a wide vocabulary makes the chunk short.
    private const int MaxPromptLogits = 8 << 20;

    private readonly Sampler _sampler = new();
    private readonly List<Sequence> _batch = [];
    private readonly List<int> _firstRows = [];
    private readonly List<DecoderInput> _inputs = [];
    private float[] _logits = [];
    private int _vocabularySize, _rows;

    /// <summary>The sequences of <paramref name="model"/> that the next <see cref="Forward"/> runs.</summary>
    public Sequence[] Choose(List<Sequence> running, ResidentModel model)
    {
        _batch.Clear();
        _inputs.Clear();
        _firstRows.Clear();
        _rows = 0;
        foreach (Sequence sequence in running)
        {
            if (sequence.Model == model && !sequence.IsPrefilling && sequence.StalledSince is null) Add(sequence, sequence.LastToken, LogitRows.Last);
        }
        int left = prefillTokens;
        foreach (Sequence sequence in running.Where(sequence => sequence.Model == model && sequence.IsPrefilling).OrderBy(sequence => shares.Service(sequence.Request.Caller)))
        {
            if (left == 0) break;
            int done = sequence.Cache!.Length, count = Math.Min(left, sequence.Request.PromptIds.Length - done);
            bool isAsked = sequence.Request.PromptTopLogprobs is not null;
            if (isAsked) count = Math.Min(count, Math.Max(1, MaxPromptLogits / model.Config.VocabularySize));
            bool isLast = done + count == sequence.Request.PromptIds.Length;
            Add(sequence, sequence.Request.PromptIds.AsMemory().Slice(done, count), isAsked ? LogitRows.All : isLast ? LogitRows.Last : LogitRows.None);
            shares.ChargeInput(sequence.Request.Caller, count);
            left -= count;
        }
        return [.. _batch];
    }

    /// <summary>Runs what was chosen, and keeps what the model made of prompts where a request asks.</summary>
    public void Forward(ResidentModel model)
    {
        _vocabularySize = model.Config.VocabularySize;
        int count = checked(_rows * _vocabularySize);
        if (_logits.Length < count) _logits = new float[count];
        model.Decoder.Forward(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_inputs), _logits.AsSpan(0, count));
        for (int index = 0; index < _batch.Count; index++)
        {
            if (_inputs[index].Logits == LogitRows.All) KeepPromptLogprobs(_batch[index], index);
        }
    }

    /// <summary>The next token of the sequence that was the batch's <paramref name="index"/>th; null: its output is complete.</summary>
    public GeneratedToken? Sample(Sequence sequence, int index)
    {
        shares.ChargeOutput(sequence.Request.Caller, 1);
        return sequence.Sampler.Next(_sampler, Row(_firstRows[index] + _inputs[index].LogitCount - 1));
    }

    /// <summary>The logits after each id say how likely the next id of the prompt was.</summary>
    private void KeepPromptLogprobs(Sequence sequence, int index)
    {
        ReadOnlySpan<int> prompt = sequence.Request.PromptIds.AsSpan();
        if (sequence.PromptLogprobs.Count == 0) sequence.PromptLogprobs.Add(null);
        for (int row = 0; row < _inputs[index].LogitCount && sequence.PromptLogprobs.Count < prompt.Length; row++)
        {
            int next = prompt[sequence.PromptLogprobs.Count];
            sequence.PromptLogprobs.Add(LogprobReader.Read(Row(_firstRows[index] + row), next, sequence.Request.PromptTopLogprobs ?? 0));
        }
    }

    private Span<float> Row(int row) => _logits.AsSpan(row * _vocabularySize, _vocabularySize);

    private void Add(Sequence sequence, ReadOnlyMemory<int> ids, LogitRows logits)
    {
        DecoderInput input = new(sequence.Cache!, ids, logits);
        _batch.Add(sequence);
        _inputs.Add(input);
        _firstRows.Add(_rows);
        _rows += input.LogitCount;
    }
}
