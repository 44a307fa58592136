namespace TinyLlm.Engine;

/// <summary>What one turn runs of one model.</summary>
internal sealed class ModelBatch(ResidentModel model)
{
    private readonly List<BatchEntry> _generating = [], _embedding = [];

    public ResidentModel Model { get; } = model;

    /// <summary>Sequences that go through the output matrix.</summary>
    public IReadOnlyList<BatchEntry> Generating => _generating;

    /// <summary>Sequences of which the hidden states are wanted.</summary>
    public IReadOnlyList<BatchEntry> Embedding => _embedding;

    /// <summary>Of the callers in it.</summary>
    public double LeastService { get; private set; } = double.PositiveInfinity;

    public void Add(BatchEntry entry)
    {
        (entry.Sequence.Sums is null ? _generating : _embedding).Add(entry);
        LeastService = Math.Min(LeastService, entry.Sequence.Share.Service);
    }
}
