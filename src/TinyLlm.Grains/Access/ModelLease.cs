using TinyLlm.Grains.Residency;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Access;

/// <summary>
/// The owner's decision that a caller may use one version of a model, for a short time. Whoever serves the request trusts this record
/// alone: it is authenticated by <see cref="LeaseSigner"/> with a key of the cluster.
/// </summary>
[GenerateSerializer, Immutable, Alias("tinyllm.ModelLease")]
public sealed record ModelLease
{
    /// <summary>Who uses the model; caches and fairness are keyed by this user.</summary>
    [Id(0)] public required UserId Caller { get; init; }

    /// <summary>Whose model it is.</summary>
    [Id(1)] public required UserId Owner { get; init; }

    /// <summary>The internal id of the version: never reused, so a recreated name never meets old weights.</summary>
    [Id(2)] public required VersionId Version { get; init; }

    /// <summary>Hexadecimal SHA-256 of the version's manifest; a load that reads another manifest fails.</summary>
    [Id(3)] public required string ManifestDigest { get; init; }

    /// <summary>What the caller may do.</summary>
    [Id(4)] public required ModelRight Right { get; init; }

    /// <summary>After this moment nobody accepts the lease.</summary>
    [Id(5)] public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>"owner/model" at the time of the decision: what the use is told under.</summary>
    [Id(20)] public required string Model { get; init; }

    /// <summary>How long the owner wants the model to stay in memory; null: the owner does not say.</summary>
    [Id(21)] public KeepAlive? KeepAlive { get; init; }

    /// <summary>The most bytes of models that the owner may pin on one silo.</summary>
    [Id(22)] public long PinnableBytes { get; init; }

    /// <summary>HMAC-SHA-256 over all the other fields.</summary>
    [Id(6)] public ReadOnlyMemory<byte> Mac { get; init; }

    /// <summary>What decrypts the version's files; null when they are not encrypted. It prints without its key.</summary>
    [Id(7)] public VersionKey? Key { get; init; }

    /// <summary>Hexadecimal SHA-256 of the host's signature of the version; a load that reads another one fails.</summary>
    [Id(8)] public required string SignatureDigest { get; init; }

    /// <summary>The public key of the host's signatures, as DER: so no other silo needs a copy of its own.</summary>
    [Id(9)] public ReadOnlyMemory<byte> SigningKey { get; init; }

    /// <summary>The owner's bound on weights in one silo's memory, all models together; null: there is none.</summary>
    [Id(10)] public long? OwnerBytes { get; init; }
}
