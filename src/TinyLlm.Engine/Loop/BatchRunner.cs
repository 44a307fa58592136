using System.Runtime.InteropServices;

namespace TinyLlm.Engine;

/// <summary>Runs what a turn chose of one model, and samples from its logits. Holds the batch's memory between the steps. The loop's thread owns it.</summary>
internal sealed class BatchRunner
{
    private readonly Sampler _sampler = new();
    private readonly List<DecoderInput> _inputs = [];
    private float[] _logits = [];
    private int _vocabularySize;

    /// <summary>One forward pass.</summary>
    public void Forward(ResidentModel model, IReadOnlyList<BatchEntry> batch)
    {
        _inputs.Clear();
        foreach (BatchEntry entry in batch) _inputs.Add(new DecoderInput(entry.Sequence.Cache!, entry.Ids)); // what is chosen runs, and has a cache
        _vocabularySize = model.Config.VocabularySize;
        int count = checked(batch.Count * _vocabularySize);
        if (_logits.Length < count) _logits = new float[count];
        model.Decoder.Forward(CollectionsMarshal.AsSpan(_inputs), _logits.AsSpan(0, count));
    }

    /// <summary>The next token of the sequence that was the batch's <paramref name="row"/>th.</summary>
    public int Sample(Sequence sequence, int row) =>
        _sampler.Sample(_logits.AsSpan(row * _vocabularySize, _vocabularySize), sequence.Request.Sampling, sequence.Random);
}
