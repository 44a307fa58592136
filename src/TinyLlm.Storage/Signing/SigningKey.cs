using System.Security.Cryptography;

namespace TinyLlm.Storage;

/// <summary>The host's private key for models: P-256, in a PEM file that only the core role reads. Prints as its public half's name.</summary>
public sealed class SigningKey : IDisposable
{
    private readonly ECDsa key;

    private SigningKey(ECDsa key)
    {
        this.key = key;
        PublicKey = VerifyingKey.Of(key);
    }

    /// <summary>For those who verify.</summary>
    public VerifyingKey PublicKey { get; }

    /// <summary>Reads the key file, and makes it when there is none.</summary>
    /// <exception cref="StoreException">Damaged: it holds something else.</exception>
    public static SigningKey ReadOrCreate(string path) => Parse(SecretFile.ReadOrCreate(path, NewText).Value);

    /// <summary>A fresh key's text.</summary>
    public static string NewText()
    {
        using ECDsa fresh = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return fresh.ExportPkcs8PrivateKeyPem();
    }

    /// <exception cref="StoreException">Damaged: the text is not a P-256 private key.</exception>
    public static SigningKey Parse(string text)
    {
        ECDsa key = ECDsa.Create();
        try
        {
            key.ImportFromPem(text);
            if (key.ExportParameters(includePrivateParameters: true) is { D: not null, Curve.Oid.Value: "1.2.840.10045.3.1.7" }) return new SigningKey(key);
        }
        catch (Exception fault) when (fault is CryptographicException or ArgumentException)
        {
            key.Dispose();
            throw Damaged(fault);
        }
        key.Dispose();
        throw Damaged(null);
    }

    /// <summary>A DER signature with SHA-256.</summary>
    public byte[] Sign(ReadOnlySpan<byte> data)
    {
        lock (key) return key.SignData(data, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
    }

    public void Dispose() => key.Dispose();

    public override string ToString() => $"private key of {PublicKey.Hint}";

    private static StoreException Damaged(Exception? cause) =>
        new(StoreError.Damaged, "the signing key file does not hold a P-256 private key in PEM form", cause);
}
