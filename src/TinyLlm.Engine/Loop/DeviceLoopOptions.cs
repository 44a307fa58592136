using System.ComponentModel.DataAnnotations;

namespace TinyLlm.Engine;

/// <summary>Bounds of one device's loop.</summary>
public sealed class DeviceLoopOptions
{
    /// <summary>Sequences that run at once. 64: a choice, not a measured optimum.</summary>
    [Range(1, 4096)]
    public int MaxRunning { get; set; } = 64;

    /// <summary>Sequences that wait for a slot or for memory, all callers together. One more is told to come back.</summary>
    [Range(1, 65536)]
    public int MaxWaiting { get; set; } = 256;

    /// <summary>How long a sequence may wait before it ends as Failed with an <see cref="EngineBusyException"/>. 60 s: clients give up then.</summary>
    public TimeSpan WaitDeadline { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>Prompt tokens per turn and model, all sequences together: what a decoding sequence may have to wait for.</summary>
    [Range(1, 65536)]
    public int PrefillTokens { get; set; } = 512;

    /// <summary>Tokens that a sequence may be ahead of its reader. Full pauses the sequence.</summary>
    [Range(1, 4096)]
    public int ChannelTokens { get; set; } = 64;

    /// <summary>How long a sequence stays paused for its reader before it ends as SlowReader. 30 s: a stalled connection, not a slow one.</summary>
    public TimeSpan SlowReaderDeadline { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>What a refused caller is told to wait.</summary>
    public TimeSpan RetryAfter { get; set; } = TimeSpan.FromSeconds(2);
}
