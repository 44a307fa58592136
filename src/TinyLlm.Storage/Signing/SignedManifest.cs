using System.Security.Cryptography;

namespace TinyLlm.Storage;

/// <summary>
/// A version's manifest and the host's signature of it, checked against what the owner's record says of both. What passes binds every file: its
/// digest, and the commitment of an encrypted one.
/// </summary>
public static class SignedManifest
{
    /// <summary>The host's signature of a version.</summary>
    /// <param name="name">What the model is called; for people.</param>
    /// <param name="manifest">The version's manifest.</param>
    /// <param name="key">The host's key.</param>
    public static byte[] Sign(string name, ModelManifest manifest, SigningKey key) => SignatureBundle.Sign(ModelStatement.Of(name, manifest), key);

    /// <summary>Hexadecimal SHA-256 of a signature's bytes, for the owner's record: some bits of a bundle mean nothing, and may still not change.</summary>
    public static string DigestOf(ReadOnlySpan<byte> bundle) => Convert.ToHexStringLower(SHA256.HashData(bundle));

    /// <summary>Throws unless both are the recorded ones, and the signature is the key's over this manifest and its files.</summary>
    /// <exception cref="StoreException">Damaged.</exception>
    public static void Require(ModelManifest manifest, string manifestDigest, ReadOnlyMemory<byte> bundle, string signatureDigest, VerifyingKey key)
    {
        if (manifest.Digest.Hex != manifestDigest) throw Damaged("its manifest is not the one that its owner's record names", null);
        if (DigestOf(bundle.Span) != signatureDigest) throw Damaged("its signature is not the one that its owner's record names", null);
        try
        {
            ModelStatement statement = SignatureBundle.Parse(bundle).Verify(key);
            if (statement.Manifest is null || !statement.Manifest.Equals(manifest.Digest))
                throw new SignatureException(SignatureError.OtherManifest, "the signature covers another manifest");
            statement.RequireFiles(ModelStatement.Of("", manifest).Files);
        }
        catch (SignatureException refusal)
        {
            throw Damaged(refusal.Message, refusal);
        }
    }

    private static StoreException Damaged(string why, Exception? cause) => new(StoreError.Damaged, $"the stored version can't be trusted: {why}", cause);
}
