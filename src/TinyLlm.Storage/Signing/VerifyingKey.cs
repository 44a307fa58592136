using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace TinyLlm.Storage;

/// <summary>A public key that models are verified with: ECDSA on P-256, P-384 or P-521 with SHA-256, SHA-384 or SHA-512, as OpenSSF Model Signing has them.</summary>
public sealed class VerifyingKey : IEquatable<VerifyingKey>
{
    /// <summary>More than any public key's PEM has.</summary>
    public const int MaxPemChars = 4_096;

    private readonly byte[] info;
    private readonly HashAlgorithmName hash;

    private VerifyingKey(ECDsa key)
    {
        info = key.ExportSubjectPublicKeyInfo();
        hash = key.KeySize switch { 256 => HashAlgorithmName.SHA256, 384 => HashAlgorithmName.SHA384, _ => HashAlgorithmName.SHA512 };
        Pem = key.ExportSubjectPublicKeyInfoPem() + "\n";
        Hint = Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(Pem)));
    }

    /// <summary>The SubjectPublicKeyInfo as PEM, with a newline at the end.</summary>
    public string Pem { get; }

    /// <summary>Names the key in a bundle: the hexadecimal SHA-256 of <see cref="Pem"/>, newline included.</summary>
    public string Hint { get; }

    /// <summary>The SubjectPublicKeyInfo as DER.</summary>
    public ReadOnlyMemory<byte> Info => info;

    /// <summary>Reads a public key in PEM form. False for anything else: a private key, another algorithm, another curve.</summary>
    public static bool TryParsePem(string? text, [NotNullWhen(true)] out VerifyingKey? key)
    {
        key = null;
        if (text is null || text.Length > MaxPemChars || !text.Contains("-----BEGIN PUBLIC KEY-----", StringComparison.Ordinal)) return false;
        return TryRead(read => read.ImportFromPem(text), out key);
    }

    /// <summary>Reads a SubjectPublicKeyInfo in DER.</summary>
    public static bool TryParseInfo(ReadOnlySpan<byte> info, [NotNullWhen(true)] out VerifyingKey? key)
    {
        byte[] bytes = info.ToArray();
        return TryRead(read => read.ImportSubjectPublicKeyInfo(bytes, out _), out key);
    }

    public bool Equals(VerifyingKey? other) => other is not null && info.AsSpan().SequenceEqual(other.info);

    public override bool Equals(object? obj) => Equals(obj as VerifyingKey);

    public override int GetHashCode() => Hint.GetHashCode(StringComparison.Ordinal);

    public override string ToString() => Hint;

    internal static VerifyingKey Of(ECDsa key) => new(key);

    /// <summary>Whether a DER signature is this key's over <paramref name="data"/>.</summary>
    internal bool Verifies(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        using ECDsa key = ECDsa.Create();
        key.ImportSubjectPublicKeyInfo(info, out _);
        return key.VerifyData(data, signature, hash, DSASignatureFormat.Rfc3279DerSequence);
    }

    private static bool TryRead(Action<ECDsa> import, [NotNullWhen(true)] out VerifyingKey? key)
    {
        key = null;
        using ECDsa read = ECDsa.Create();
        try
        {
            import(read);
            // By its name: other curves have these sizes too.
            string? curve = read.ExportParameters(includePrivateParameters: false).Curve.Oid?.Value;
            if (curve is not ("1.2.840.10045.3.1.7" or "1.3.132.0.34" or "1.3.132.0.35")) return false;
            key = new VerifyingKey(read);
            return true;
        }
        catch (Exception fault) when (fault is CryptographicException or ArgumentException or NotSupportedException)
        {
            return false;
        }
    }
}
