using TinyLlm.Storage;

namespace TinyLlm.Grains.Residency;

/// <summary>Where a model version's bytes lie, and what its manifest must hash to.</summary>
internal readonly record struct VersionAddress(UserId Owner, VersionId Version, string ManifestDigest);
