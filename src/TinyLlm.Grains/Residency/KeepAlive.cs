namespace TinyLlm.Grains.Residency;

/// <summary>How long a model stays in memory that nobody uses. What it asks for is bounded where it is granted: by the host, and by what its owner may pin.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.KeepAlive")]
public sealed record KeepAlive
{
    /// <summary>From its last use; zero: it goes with its last answer. Null: pinned, so that not even a model that needs its room drives it out.</summary>
    [Id(0)] public TimeSpan? Time { get; init; }

    /// <summary>Pinned.</summary>
    public static KeepAlive Pinned { get; } = new();

    /// <summary>So long from the last use.</summary>
    public static KeepAlive For(TimeSpan time)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero);
        return new KeepAlive { Time = time };
    }
}
