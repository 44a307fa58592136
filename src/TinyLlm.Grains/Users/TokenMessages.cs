using System.Collections.Immutable;
using TinyLlm.Grains.Access;

namespace TinyLlm.Grains.Users;

/// <summary>What a new access token shall be.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.TokenSpec")]
public sealed record TokenSpec
{
    /// <summary>A name for its owner's eyes.</summary>
    [Id(0)] public required string Name { get; init; }

    /// <summary>What it may be used for.</summary>
    [Id(1)] public required TokenScopes Scopes { get; init; }

    /// <summary>The only models that it may be used with, or null for all.</summary>
    [Id(2)] public ImmutableArray<string>? Models { get; init; }

    /// <summary>When it ends by itself, or null for never.</summary>
    [Id(3)] public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>Bounds below the user's, or null for none.</summary>
    [Id(4)] public TokenLimits? Limits { get; init; }
}

/// <summary>A token at its making: the only moment at which its text exists.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.IssuedToken")]
public sealed record IssuedToken
{
    /// <summary>Names the token in lists and for revocation; not secret.</summary>
    [Id(0)] public required string Id { get; init; }

    /// <summary>The bearer token itself: shown once, stored nowhere.</summary>
    [Id(1)] public required string Text { get; init; }
}

/// <summary>A token as its owner sees it later.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.TokenFacts")]
public sealed record TokenFacts
{
    /// <summary>Names the token.</summary>
    [Id(0)] public required string Id { get; init; }

    /// <summary>What it is.</summary>
    [Id(1)] public required TokenSpec Spec { get; init; }

    /// <summary>When it was made.</summary>
    [Id(2)] public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it was last accepted, to the minute; after a crash up to five minutes behind.</summary>
    [Id(3)] public DateTimeOffset? LastUsedAt { get; init; }

    /// <summary>Until when the secret before the last rotation is accepted, if it still is.</summary>
    [Id(4)] public DateTimeOffset? PreviousUntil { get; init; }
}

/// <summary>Asks for a fresh secret of a token.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.TokenRotation")]
public sealed record TokenRotation
{
    /// <summary>The token.</summary>
    [Id(0)] public required string TokenId { get; init; }

    /// <summary>How long the old secret stays valid; zero: not at all.</summary>
    [Id(1)] public required TimeSpan Grace { get; init; }

    /// <summary>Who asks: the answer is a working secret, so a token never gets that of one that may do more.</summary>
    [Id(2)] public required TokenSpec Asking { get; init; }
}

/// <summary>A token's fresh secret.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.RotatedToken")]
public sealed record RotatedToken
{
    /// <summary>The bearer token: shown once, stored nowhere.</summary>
    [Id(0)] public required string Text { get; init; }

    /// <summary>Until when the old secret is accepted.</summary>
    [Id(1)] public required DateTimeOffset OldValidUntil { get; init; }
}
