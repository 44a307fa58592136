using TinyLlm.Grains.Access;
using TinyLlm.Grains.Models;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Users;

/// <summary>Who a user is.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.UserFacts")]
public sealed record UserFacts
{
    /// <summary>The internal id.</summary>
    [Id(0)] public required UserId User { get; init; }

    /// <summary>The name.</summary>
    [Id(1)] public required string Name { get; init; }

    /// <summary>When the user was made.</summary>
    [Id(2)] public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Models with at least one version.</summary>
    [Id(3)] public required int Models { get; init; }

    /// <summary>Bytes of all versions and open uploads.</summary>
    [Id(4)] public required long StoredBytes { get; init; }

    /// <summary>The bounds that hold for the user; none is null.</summary>
    [Id(5)] public UserQuota? Quota { get; init; }
}

/// <summary>What a deletion removed.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.ForgetReceipt")]
public sealed record ForgetReceipt
{
    /// <summary>The name that is free again.</summary>
    [Id(0)] public required string Name { get; init; }

    /// <summary>Models that are gone.</summary>
    [Id(1)] public required int Models { get; init; }

    /// <summary>Versions that are gone.</summary>
    [Id(2)] public required int Versions { get; init; }

    /// <summary>Tokens that are gone.</summary>
    [Id(3)] public required int Tokens { get; init; }

    /// <summary>Bytes that were stored.</summary>
    [Id(4)] public required long StoredBytes { get; init; }

    /// <summary>When.</summary>
    [Id(5)] public required DateTimeOffset CompletedAt { get; init; }

    /// <summary>When the user's key was destroyed, before anything else: from then on no copy of the encrypted bytes can be read, wherever one remains.</summary>
    [Id(6)] public required DateTimeOffset KeyDestroyedAt { get; init; }

    /// <summary>The same, and more, signed.</summary>
    [Id(7)] public required SignedReceipt Receipt { get; init; }
}

/// <summary>A model version that a caller may use: the lease, and what the answer tells of it.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.GrantedModel")]
public sealed record GrantedModel
{
    /// <summary>The signed decision.</summary>
    [Id(0)] public required ModelLease Lease { get; init; }

    /// <summary>The version.</summary>
    [Id(1)] public required PublishedVersion Version { get; init; }

    /// <summary>The most tokens of completion that the grant's budget leaves; null: no bound but the context's.</summary>
    [Id(2)] public long? MaxTokens { get; init; }
}
