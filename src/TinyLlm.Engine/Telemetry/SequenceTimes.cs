namespace TinyLlm.Engine;

/// <summary>When things happened to a sequence, as timestamps of the loop's clock. The loop's thread owns it.</summary>
/// <param name="arrivedAt">When it began to wait.</param>
internal struct SequenceTimes(long arrivedAt)
{
    public long ArrivedAt { get; } = arrivedAt;

    /// <summary>When it got its slot.</summary>
    public long AdmittedAt { get; set; }

    /// <summary>How long its prompt took from there.</summary>
    public TimeSpan Prefill { get; set; }

    public long FirstTokenAt { get; set; }

    public long LastTokenAt { get; set; }
}
