namespace TinyLlm.Grains.Access;

/// <summary>Where a caller's rates stand, as "x-ratelimit" headers tell it. Where user and token have bounds of their own, the tighter one.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.RateLevels")]
public sealed record RateLevels
{
    /// <summary>Requests per minute.</summary>
    [Id(0)] public required RateLevel Requests { get; init; }

    /// <summary>Tokens of prompts and completions per minute.</summary>
    [Id(1)] public required RateLevel Tokens { get; init; }
}

/// <summary>One rate.</summary>
/// <param name="Limit">Per minute, and at most at once.</param>
/// <param name="Remaining">What is left now; never below zero.</param>
/// <param name="Reset">Until all of it is there again.</param>
[GenerateSerializer, Immutable, Alias("tinyllm.RateLevel")]
public readonly record struct RateLevel([property: Id(0)] long Limit, [property: Id(1)] long Remaining, [property: Id(2)] TimeSpan Reset);
