namespace TinyLlm.Grains.Sessions;

/// <summary>How a silo leaves.</summary>
public sealed class SessionDrainOptions
{
    /// <summary>
    /// How long running answers may go on after the silo began to stop. Default 30 s: a long answer of a small model. What stops the process (a
    /// service manager, Kubernetes) must wait longer than this.
    /// </summary>
    public TimeSpan Deadline { get; set; } = TimeSpan.FromSeconds(30);
}
