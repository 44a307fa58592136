using System.ComponentModel.DataAnnotations;

namespace TinyLlm.Engine;

/// <summary>Bounds of one device's loop.</summary>
public sealed class DeviceLoopOptions
{
    /// <summary>Sequences that hold memory at once. 96, half as many again as a batch takes: there are some left for callers that have none.</summary>
    [Range(1, 4096)]
    public int MaxRunning { get; set; } = 96;

    /// <summary>Sequences that decode in one turn and model. 64: a choice, not a measured optimum.</summary>
    [Range(1, 4096)]
    public int MaxBatch { get; set; } = 64;

    /// <summary>Whether turns, slots, memory and waiting places are shared out between callers. False: first come, first served.</summary>
    public bool IsFair { get; set; } = true;

    /// <summary>
    /// Sequences that wait for a slot or for memory, all callers together. One more is told to come back. 512: a choice, with which
    /// one caller alone (three quarters of them, <see cref="FairRoom"/>) may send some hundreds of requests at once.
    /// </summary>
    [Range(1, 65536)]
    public int MaxWaiting { get; set; } = 512;

    /// <summary>How long a sequence may wait before it ends as Failed with an <see cref="EngineBusyException"/>. 60 s: clients give up then.</summary>
    public TimeSpan WaitDeadline { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Prompt tokens per turn, all sequences of all models together: what a decoding sequence may have to wait for. 256: chunks of 128 already
    /// ran at 84% or more of the rate of 512 (bench/results/engine.json, shapes 15M and 135M).
    /// </summary>
    [Range(1, 65536)]
    public int PrefillTokens { get; set; } = 256;

    /// <summary>
    /// The most of the device's budget that the prefix cache may take, as a share. It takes only what nothing else needs at the moment. 0 turns
    /// it off. A quarter: a choice, not a measured optimum.
    /// </summary>
    [Range(0.0, 1.0)]
    public double PrefixCacheShare { get; set; } = 0.25;

    /// <summary>How long an unused piece of a text stays in the prefix cache. 10 minutes: a pause in a conversation.</summary>
    public TimeSpan PrefixCacheLifetime { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>Tokens that a sequence may be ahead of its reader. Full pauses the sequence.</summary>
    [Range(1, 4096)]
    public int ChannelTokens { get; set; } = 64;

    /// <summary>How long a sequence stays paused for its reader before it ends as SlowReader. 30 s: a stalled connection, not a slow one.</summary>
    public TimeSpan SlowReaderDeadline { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>What a refused caller is told to wait.</summary>
    public TimeSpan RetryAfter { get; set; } = TimeSpan.FromSeconds(2);
}
