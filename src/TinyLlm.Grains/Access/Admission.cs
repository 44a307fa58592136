namespace TinyLlm.Grains.Access;

/// <summary>
/// A user's answer to one presented credential: whose it is, where the user's rates stand after this request was counted, or why it was not.
/// </summary>
[GenerateSerializer, Immutable, Alias("tinyllm.Admission")]
public sealed record Admission
{
    /// <summary>The credential is unknown, revoked or expired; or there is no such user.</summary>
    public static Admission Unknown { get; } = new();

    /// <summary>What the credential may do; null when it is not accepted.</summary>
    [Id(0)] public TokenVerdict? Verdict { get; init; }

    /// <summary>The rates after this request; null when the credential is not accepted.</summary>
    [Id(1)] public RateLevels? Levels { get; init; }

    /// <summary>Set when the request was not counted, because a rate is used up: when one more fits in.</summary>
    [Id(2)] public TimeSpan? RetryAfter { get; init; }
}
