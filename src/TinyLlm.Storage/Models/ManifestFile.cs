namespace TinyLlm.Storage;

/// <summary>One file of a version: its name, its length in bytes and the SHA-256 of its bytes.</summary>
public sealed record ManifestFile(ModelFileName Name, long Length, ContentDigest Sha256);
