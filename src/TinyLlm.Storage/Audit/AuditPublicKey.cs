using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;

namespace TinyLlm.Storage;

/// <summary>The public half of an <see cref="AuditKey"/>.</summary>
public sealed class AuditPublicKey
{
    private static readonly BigInteger Order = new(
        Convert.FromHexString("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"), isUnsigned: true, isBigEndian: true);

    private readonly byte[] info;

    private AuditPublicKey(byte[] info) => this.info = info;

    /// <summary>Names the key: the hexadecimal SHA-256 of <see cref="Text"/>'s bytes.</summary>
    public string Id => Convert.ToHexStringLower(SHA256.HashData(info));

    /// <summary>The SubjectPublicKeyInfo as base64, on one line.</summary>
    public string Text => Convert.ToBase64String(info);

    /// <summary>Reads <see cref="Text"/>, or the same in PEM form.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out AuditPublicKey? key)
    {
        key = null;
        if (text is null) return false;
        try
        {
            using ECDsa read = ECDsa.Create();
            if (text.Contains("-----BEGIN PUBLIC KEY-----", StringComparison.Ordinal)) read.ImportFromPem(text);
            else read.ImportSubjectPublicKeyInfo(Convert.FromBase64String(text.Trim()), out _);
            if (read.KeySize != 256) return false;
            key = new AuditPublicKey(read.ExportSubjectPublicKeyInfo());
            return true;
        }
        catch (Exception fault) when (fault is CryptographicException or FormatException or ArgumentException)
        {
            return false;
        }
    }

    /// <summary>Whether <paramref name="signature"/> is this key's over <paramref name="data"/> for that purpose, in its one spelling.</summary>
    public bool Verifies(AuditKey.Purpose purpose, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        if (signature.Length != AuditKey.SignatureBytes || IsHigh(signature)) return false;
        using ECDsa key = ECDsa.Create();
        key.ImportSubjectPublicKeyInfo(info, out _);
        return key.VerifyData(Prefixed(purpose, data), signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
    }

    public override string ToString() => Text;

    internal static AuditPublicKey FromBytes(byte[] info) => new(info);

    internal static byte[] Prefixed(AuditKey.Purpose purpose, ReadOnlySpan<byte> data)
    {
        byte[] prefix = Encoding.ASCII.GetBytes(purpose == AuditKey.Purpose.Entry ? "tinyllm-audit-entry-v1\n" : "tinyllm-receipt-v1\n");
        return [.. prefix, .. data];
    }

    /// <summary>(r, s) and (r, n - s) both verify; of the two only the lower s is ours.</summary>
    internal static void LowerS(Span<byte> signature)
    {
        if (!IsHigh(signature)) return;
        Span<byte> s = signature[(AuditKey.SignatureBytes / 2)..];
        byte[] lower = (Order - new BigInteger(s, isUnsigned: true, isBigEndian: true)).ToByteArray(isUnsigned: true, isBigEndian: true);
        s.Clear();
        lower.CopyTo(s[(s.Length - lower.Length)..]);
    }

    private static bool IsHigh(ReadOnlySpan<byte> signature) =>
        new BigInteger(signature[(AuditKey.SignatureBytes / 2)..], isUnsigned: true, isBigEndian: true) > Order / 2;
}
