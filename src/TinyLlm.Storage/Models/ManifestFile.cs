namespace TinyLlm.Storage;

/// <summary>One file of a version: its name, its length in bytes and the SHA-256 of its bytes, all before encryption.</summary>
/// <param name="Name">The name.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Sha256">Digest of the bytes.</param>
/// <param name="Commitment">
/// Of an encrypted file, its commitment to key, salt and context (<see cref="EncryptedLayout"/>) as 64 small hex digits; null where the file is stored as it is.
/// </param>
public sealed record ManifestFile(ModelFileName Name, long Length, ContentDigest Sha256, string? Commitment = null)
{
    /// <summary>Whether the stored bytes are encrypted.</summary>
    public bool IsEncrypted => Commitment is not null;

    /// <summary>A commitment as the manifest has it.</summary>
    public static string CommitmentText(ReadOnlySpan<byte> commitment) => Convert.ToHexStringLower(commitment);
}
