using TinyLlm.Grains.Access;
using TinyLlm.Grains.Models;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Sharing;

/// <summary>A grant as its owner wants it; it replaces the one that the same grantee had on the model.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.GrantSpec")]
public sealed record GrantSpec
{
    /// <summary>The model's name.</summary>
    [Id(0)] public required string Model { get; init; }

    /// <summary>Who gets it: an internal id, or null for everyone on this host.</summary>
    [Id(1)] public required UserId? Grantee { get; init; }

    /// <summary>The grantee's name, for its owner's eyes.</summary>
    [Id(2)] public required string GranteeName { get; init; }

    /// <summary>What may be done; at least one.</summary>
    [Id(3)] public required ModelRight Rights { get; init; }

    /// <summary>When the grant ends by itself, or null for never.</summary>
    [Id(4)] public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>Tokens of prompts and completions that may be used in all, or null for no bound.</summary>
    [Id(5)] public long? TokenBudget { get; init; }
}

/// <summary>A grant as its owner sees it later.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.GrantFacts")]
public sealed record GrantFacts
{
    /// <summary>The grant.</summary>
    [Id(0)] public required GrantSpec Spec { get; init; }

    /// <summary>When it was made.</summary>
    [Id(1)] public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Tokens that were used under its budget; zero when it has none.</summary>
    [Id(2)] public required long TokensUsed { get; init; }
}

/// <summary>A version that a caller may see, and who owns it.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.VisibleModel")]
public sealed record VisibleModel
{
    /// <summary>The owner's internal id.</summary>
    [Id(0)] public required UserId Owner { get; init; }

    /// <summary>The version.</summary>
    [Id(1)] public required PublishedVersion Version { get; init; }
}

/// <summary>Tells an index of shared models what an owner shares, or no longer shares.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.ShareNotice")]
public sealed record ShareNotice
{
    /// <summary>The owner.</summary>
    [Id(0)] public required UserId Owner { get; init; }

    /// <summary>The model's folded name.</summary>
    [Id(1)] public required string Model { get; init; }

    /// <summary>Whether the model is shared from now on, or no longer.</summary>
    [Id(2)] public required bool IsShared { get; init; }

    /// <summary>Orders the owner's notices; one that comes late changes nothing.</summary>
    [Id(3)] public required long Serial { get; init; }
}

/// <summary>Where a shared model is to be found. Whether it may be used is its owner's to say.</summary>
/// <param name="Owner">The owner.</param>
/// <param name="Model">The model's folded name.</param>
[GenerateSerializer, Immutable, Alias("tinyllm.SharedModel")]
public readonly record struct SharedModel([property: Id(0)] UserId Owner, [property: Id(1)] string Model);
