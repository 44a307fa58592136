using System.Runtime.InteropServices;

namespace TinyLlm.Engine;

/// <summary>Runs what a turn chose of one model, and samples from its logits. Holds the batch's memory between the steps. The loop's thread owns it.</summary>
internal sealed class BatchRunner
{
    private readonly Sampler _sampler = new();
    private readonly List<int> _firstRows = [];
    private readonly List<DecoderInput> _inputs = [];
    private float[] _logits = [];
    private int _vocabularySize;

    /// <summary>One forward pass; keeps what the model made of prompts where a request asks.</summary>
    public void Forward(ResidentModel model, IReadOnlyList<BatchEntry> batch)
    {
        _inputs.Clear();
        _firstRows.Clear();
        int rows = 0;
        foreach (BatchEntry entry in batch)
        {
            DecoderInput input = new(entry.Sequence.Cache!, entry.Ids, Rows(entry)); // what is chosen runs, and has a cache
            _inputs.Add(input);
            _firstRows.Add(rows);
            rows += input.LogitCount;
        }
        _vocabularySize = model.Config.VocabularySize;
        int count = checked(rows * _vocabularySize);
        if (_logits.Length < count) _logits = new float[count];
        model.Decoder.Forward(CollectionsMarshal.AsSpan(_inputs), _logits.AsSpan(0, count));
        for (int index = 0; index < batch.Count; index++)
        {
            if (_inputs[index].Logits == LogitRows.All) KeepPromptLogprobs(batch[index].Sequence, index);
        }
    }

    /// <summary>The next token of the sequence that was the batch's <paramref name="index"/>th; null: its output is complete.</summary>
    public GeneratedToken? Sample(Sequence sequence, int index) => sequence.Sampler.Next(_sampler, Row(_firstRows[index] + _inputs[index].LogitCount - 1));

    /// <summary>A chunk of a prompt that goes on says nothing that anybody asked for, unless the prompt itself is looked at.</summary>
    private static LogitRows Rows(BatchEntry entry)
    {
        if (entry.PromptTokens == 0) return LogitRows.Last;
        if (entry.Sequence.Request.PromptTopLogprobs is not null) return LogitRows.All;
        return entry.Sequence.Cache!.Length + entry.PromptTokens == entry.Sequence.Request.PromptIds.Length ? LogitRows.Last : LogitRows.None; // it runs, as above
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
}
