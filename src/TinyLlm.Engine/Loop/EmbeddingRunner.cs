using System.Runtime.InteropServices;

namespace TinyLlm.Engine;

/// <summary>Runs a model's embedding batch, and adds each chunk's sum to its sequence's. The loop's thread owns it.</summary>
internal sealed class EmbeddingRunner
{
    private readonly List<DecoderInput> _inputs = [];
    private double[] _sums = [];

    public void Forward(ResidentModel model, IReadOnlyList<BatchEntry> batch)
    {
        _inputs.Clear();
        foreach (BatchEntry entry in batch) _inputs.Add(new DecoderInput(entry.Sequence.Cache!, entry.Ids, LogitRows.None)); // what is chosen runs, and has a cache
        int size = model.Config.HiddenSize, count = checked(batch.Count * size);
        if (_sums.Length < count) _sums = new double[count];
        model.Decoder.Embed(CollectionsMarshal.AsSpan(_inputs), _sums.AsSpan(0, count));
        for (int row = 0; row < batch.Count; row++)
        {
            double[] sums = batch[row].Sequence.Sums ?? throw new InvalidOperationException("a sequence that generates is in a batch of embeddings");
            for (int i = 0; i < size; i++) sums[i] += _sums[row * size + i];
        }
    }
}
