using TinyLlm.Grains.Access;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Residency;

/// <summary>
/// Where a model version's bytes lie, what its manifest and signature must be, and what opens them. Two are equal when they name the same bytes; the keys
/// and the owner's bound come anew with every lease and are no part of that.
/// </summary>
/// <param name="Owner">Whose version.</param>
/// <param name="Version">The version.</param>
/// <param name="ManifestDigest">Hexadecimal SHA-256 of the manifest.</param>
/// <param name="SignatureDigest">Hexadecimal SHA-256 of the host's signature.</param>
/// <param name="SigningKey">The public key of that signature, as DER.</param>
/// <param name="Key">What decrypts the files; null when they are not encrypted.</param>
internal sealed record VersionAddress(
    UserId Owner, VersionId Version, string ManifestDigest, string SignatureDigest, ReadOnlyMemory<byte> SigningKey, VersionKey? Key)
{
    /// <summary>"owner/model", for people: no part of what is equal.</summary>
    public string Model { get; init; } = "";

    /// <summary>What all models of the owner together may take of one silo's memory; null: as much as there is.</summary>
    public long? OwnerBytes { get; init; }

    public static VersionAddress Of(ModelLease lease) =>
        new(lease.Owner, lease.Version, lease.ManifestDigest, lease.SignatureDigest, lease.SigningKey, lease.Key) { Model = lease.Model, OwnerBytes = lease.OwnerBytes };

    public bool Equals(VersionAddress? other) =>
        other is not null && (Owner, Version, ManifestDigest, SignatureDigest) == (other.Owner, other.Version, other.ManifestDigest, other.SignatureDigest);

    public override int GetHashCode() => HashCode.Combine(Owner, Version, ManifestDigest, SignatureDigest);
}
