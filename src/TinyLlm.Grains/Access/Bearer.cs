namespace TinyLlm.Grains.Access;

/// <summary>
/// The credential behind a running stream, as the user's grain can look it up again: an access token and which of its secrets, or an identity
/// of a provider outside, of which only the end is known.
/// </summary>
[GenerateSerializer, Immutable, Alias("tinyllm.Bearer")]
public sealed record Bearer
{
    /// <summary>The access token's id; null for an identity from outside.</summary>
    [Id(0)] public string? TokenId { get; init; }

    /// <summary>Which secret of the token: rotation gives it the next one.</summary>
    [Id(1)] public int Serial { get; init; }

    /// <summary>When the credential ends by itself.</summary>
    [Id(2)] public DateTimeOffset? ExpiresAt { get; init; }
}
