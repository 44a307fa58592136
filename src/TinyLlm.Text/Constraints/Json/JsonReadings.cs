namespace TinyLlm.Text.Constraints;

/// <summary>Collects what one byte makes of a set of readings. Equal readings meet again in the same frame, which is kept once.</summary>
internal sealed class JsonReadings
{
    private readonly List<JsonFrame> _closed = [];

    /// <summary>The readings after the byte.</summary>
    public List<JsonFrame> Frames { get; } = [];

    /// <summary>A reading that goes on.</summary>
    public void Add(JsonFrame frame)
    {
        if (Frames.Count < ConstraintLimits.MaxReadings && !Frames.Contains(frame)) Frames.Add(frame);
    }

    /// <summary>A reading in which a number was over before the byte: what is round it takes the byte.</summary>
    public void AddClosed(JsonFrame outer)
    {
        if (!_closed.Contains(outer)) _closed.Add(outer);
    }

    /// <summary>Steps every frame.</summary>
    public void Step(IReadOnlyList<JsonFrame> frames, byte value)
    {
        Frames.Clear();
        _closed.Clear();
        for (int i = 0; i < frames.Count; i++) frames[i].Step(value, this);
        for (int i = 0; i < _closed.Count; i++) _closed[i].Step(value, this);
    }
}
