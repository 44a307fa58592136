namespace TinyLlm.Grains.Users;

/// <summary>Bounds of one access token below its user's; null: only the user's. Property names are the stored format.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.TokenLimits")]
public sealed record TokenLimits
{
    /// <summary>Requests per minute.</summary>
    [Id(0)] public long? RequestsPerMinute { get; init; }

    /// <summary>Tokens of prompts and completions per minute.</summary>
    [Id(1)] public long? TokensPerMinute { get; init; }

    /// <summary>Answers that are made at once.</summary>
    [Id(2)] public int? ConcurrentStreams { get; init; }

    /// <summary>These bounds, no wider than <paramref name="outer"/>.</summary>
    public TokenLimits Within(TokenLimits? outer) => outer is null ? this : new TokenLimits
    {
        RequestsPerMinute = Tighter(RequestsPerMinute, outer.RequestsPerMinute),
        TokensPerMinute = Tighter(TokensPerMinute, outer.TokensPerMinute),
        ConcurrentStreams = (int?)Tighter(ConcurrentStreams, outer.ConcurrentStreams),
    };

    private static long? Tighter(long? inner, long? outer) => inner is { } a && outer is { } b ? Math.Min(a, b) : inner ?? outer;
}
