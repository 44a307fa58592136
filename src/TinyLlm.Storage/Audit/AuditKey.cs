using System.Security.Cryptography;

namespace TinyLlm.Storage;

/// <summary>
/// The host's P-256 key for audit entries and receipts. Only core silos hold it; everybody may have its public half. What is signed is prefixed by
/// its purpose, so that no entry is ever taken for a receipt.
/// </summary>
public sealed class AuditKey : IDisposable
{
    /// <summary>Bytes of a signature: r and s.</summary>
    public const int SignatureBytes = 64;

    private readonly ECDsa key;

    private AuditKey(ECDsa key)
    {
        this.key = key;
        PublicKey = AuditPublicKey.FromBytes(key.ExportSubjectPublicKeyInfo());
    }

    /// <summary>What a signature is for.</summary>
    public enum Purpose
    {
        /// <summary>An entry of an audit log.</summary>
        Entry,

        /// <summary>A receipt of a deletion.</summary>
        Receipt,
    }

    /// <summary>For those who verify.</summary>
    public AuditPublicKey PublicKey { get; }

    /// <summary>A fresh key's text, for <see cref="SecretFile"/>.</summary>
    public static string NewText()
    {
        using ECDsa fresh = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return fresh.ExportPkcs8PrivateKeyPem();
    }

    /// <exception cref="StoreException">Damaged: the text is not a P-256 private key.</exception>
    public static AuditKey Parse(string text)
    {
        ECDsa key = ECDsa.Create();
        try
        {
            key.ImportFromPem(text);
            if (key.KeySize != 256) throw new CryptographicException();
            return new AuditKey(key);
        }
        catch (Exception fault) when (fault is CryptographicException or ArgumentException)
        {
            key.Dispose();
            throw new StoreException(StoreError.Damaged, "the audit key file does not hold a P-256 private key in PEM form", fault);
        }
    }

    /// <summary>r and s, each 32 bytes, s in the lower half of its range: the same signature has one spelling.</summary>
    public byte[] Sign(Purpose purpose, ReadOnlySpan<byte> data)
    {
        byte[] signature = key.SignData(AuditPublicKey.Prefixed(purpose, data), HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        AuditPublicKey.LowerS(signature);
        return signature;
    }

    public void Dispose() => key.Dispose();
}
