using System.Collections.Immutable;
using TinyLlm.Grains.Users;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Access;

/// <summary>What an accepted access token says of its bearer.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.TokenVerdict")]
public sealed record TokenVerdict
{
    /// <summary>The user's internal id.</summary>
    [Id(0)] public required UserId User { get; init; }

    /// <summary>The user's name, as the user spells it.</summary>
    [Id(1)] public required string UserName { get; init; }

    /// <summary>Which of the user's tokens it is; null for an identity from a provider outside.</summary>
    [Id(2)] public required string? TokenId { get; init; }

    /// <summary>What the token may be used for.</summary>
    [Id(3)] public required TokenScopes Scopes { get; init; }

    /// <summary>The only models ("owner/model" or the user's own bare names) that the token may be used with, or null for all.</summary>
    [Id(4)] public ImmutableArray<string>? Models { get; init; }

    /// <summary>When the token ends by itself.</summary>
    [Id(5)] public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>Which secret of the token was presented: rotation gives it the next one.</summary>
    [Id(6)] public int Serial { get; init; }

    /// <summary>Bounds of the token below its user's, or null for none.</summary>
    [Id(7)] public TokenLimits? Limits { get; init; }
}
