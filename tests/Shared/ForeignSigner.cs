using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace TinyLlm.Tests;

/// <summary>
/// Somebody who signs models elsewhere: bundles written from the description of OpenSSF Model Signing v1.0, with nothing of ours. What a bundle shall be
/// can be bent: every property is what the format says unless a test sets it.
/// </summary>
internal sealed class ForeignSigner : IDisposable
{
    private readonly ECDsa _key;

    public ForeignSigner(ECCurve? curve = null)
    {
        _key = ECDsa.Create(curve ?? ECCurve.NamedCurves.nistP256);
        PublicKey = _key.ExportSubjectPublicKeyInfoPem() + "\n";
        Id = Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(PublicKey)));
    }

    /// <summary>PEM.</summary>
    public string PublicKey { get; }

    /// <summary>What bundles call the key.</summary>
    public string Id { get; }

    public string[] IgnoredPaths { get; init; } = ["model.sig", ".git", ".gitignore"];

    public string Method { get; init; } = "files";

    /// <summary>Signs files by name.</summary>
    /// <param name="files">Every file that is signed.</param>
    /// <param name="hint">What the bundle calls the key; by default its id.</param>
    /// <param name="byCertificate">Whether the bundle says that a certificate made it.</param>
    public byte[] Sign(IEnumerable<KeyValuePair<string, byte[]>> files, string? hint = null, bool byCertificate = false)
    {
        (string Name, byte[] Digest)[] signed = [.. files.Select(file => (file.Key, SHA256.HashData(file.Value))).OrderBy(file => file.Key, StringComparer.Ordinal)];
        byte[] payload = JsonSerializer.SerializeToUtf8Bytes(new
        {
            _type = "https://in-toto.io/Statement/v1",
            subject = new[] { new { name = "theirs", digest = new { sha256 = Hex(SHA256.HashData([.. signed.SelectMany(file => file.Digest)])) } } },
            predicateType = "https://model_signing/signature/v1.0",
            predicate = new
            {
                serialization = new { method = Method, hash_type = "sha256", allow_symlinks = false, ignore_paths = IgnoredPaths },
                resources = signed.Select(file => new { name = file.Name, algorithm = "sha256", digest = Hex(file.Digest) }),
            },
        });
        byte[] bytes = [.. Encoding.ASCII.GetBytes($"DSSEv1 28 application/vnd.in-toto+json {payload.Length} "), .. payload];
        HashAlgorithmName hash = _key.KeySize switch { 256 => HashAlgorithmName.SHA256, 384 => HashAlgorithmName.SHA384, _ => HashAlgorithmName.SHA512 };
        byte[] signature = _key.SignData(bytes, hash, DSASignatureFormat.Rfc3279DerSequence);
        return JsonSerializer.SerializeToUtf8Bytes(new
        {
            mediaType = "application/vnd.dev.sigstore.bundle.v0.3+json",
            verificationMaterial = byCertificate ? (object)new { certificate = new { rawBytes = "AAAA" } } : new { publicKey = new { hint = hint ?? Id }, tlogEntries = Array.Empty<string>() },
            dsseEnvelope = new { payload, payloadType = "application/vnd.in-toto+json", signatures = new[] { new { sig = signature, keyid = "" } } },
        });
    }

    public void Dispose() => _key.Dispose();

    private static string Hex(byte[] bytes) => Convert.ToHexStringLower(bytes);
}
