namespace TinyLlm.Storage;

/// <summary>
/// What one write or deletion knows of its earlier attempts: when the answer to one was lost, the next one recognises its own effect, and never takes
/// another writer's for it.
/// </summary>
internal sealed class WriteAttempt
{
    private int begun;

    /// <summary>Names the write; a service keeps it with the object.</summary>
    public string Id { get; } = Guid.NewGuid().ToString("N");

    /// <summary>Whether an attempt came before this one.</summary>
    public bool IsRepeat => begun > 1;

    /// <summary>Where the process that writes sees the effect itself: the ETag that it gave or removed.</summary>
    public string? ETag { get; set; }

    /// <summary>Counts the attempt that now begins.</summary>
    public WriteAttempt Begin()
    {
        begun++;
        return this;
    }
}
