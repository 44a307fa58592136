using System.Security.Cryptography;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Residency;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Models;

/// <summary>
/// The files of one model version, as validation and loading read them. Once the manifest was read (<see cref="ReadManifestAsync"/>), a file that is not
/// what it says is refused: by its length and its commitment when it is opened, and by its digest when it is read whole.
/// </summary>
/// <param name="files">Where they lie.</param>
/// <param name="owner">Whose they are.</param>
/// <param name="version">Which version's.</param>
/// <param name="key">The version's key; null where it is not encrypted.</param>
public sealed class VersionFiles(ModelFiles files, UserId owner, VersionId version, VersionKey? key)
{
    private ModelManifest? _manifest;

    /// <summary>Whether what is read is authentic by itself, chunk by chunk; if not, a digest must say so.</summary>
    internal bool IsEncrypted => key is not null;

    /// <summary>A small file whole; one that is longer than <paramref name="maxBytes"/> is not read.</summary>
    internal async Task<byte[]> ReadAsync(string name, long maxBytes, CancellationToken cancellationToken)
    {
        using VersionFile file = await OpenAsync(name, cancellationToken);
        if (file.Length > maxBytes)
        {
            throw new RequestException(RequestError.ModelInvalid, $"{name} has {file.Length} bytes, and {maxBytes} is its bound.")
            {
                Detail = "file_too_large",
                FileName = name,
            };
        }
        byte[] bytes = new byte[file.Length];
        await file.ReadAsync(0, bytes, cancellationToken);
        if (_manifest is not null && !Listed(name).Sha256.Equals(new ContentDigest(SHA256.HashData(bytes)))) throw Damaged(name);
        return bytes;
    }

    /// <summary>A file of any length, to be read in parts; the caller disposes it.</summary>
    internal async Task<VersionFile> OpenAsync(string name, CancellationToken cancellationToken)
    {
        VersionFile file = await files.OpenAsync(owner, version, ModelFileName.Parse(name), key, cancellationToken);
        if (_manifest is null) return file;
        ManifestFile listed = Listed(name);
        if (listed.Length == file.Length && listed.Commitment == file.Commitment) return file;
        file.Dispose();
        throw Damaged(name);
    }

    /// <summary>What the manifest says of a file.</summary>
    internal ManifestFile Listed(string name) => _manifest?.Files.FirstOrDefault(file => file.Name.Value == name)
        ?? throw new StoreException(StoreError.NotFound, "the version's manifest does not name this file");

    internal static StoreException Damaged(string name) => new(StoreError.Damaged, $"{name} is not the file that the version's manifest names");

    /// <summary>
    /// The manifest, if it and the host's signature of it are those that the owner's record names, and the signature holds; else the stored version is
    /// damaged. Throws <see cref="StoreError.NotFound"/> when there is none.
    /// </summary>
    internal async Task<ModelManifest> ReadManifestAsync(VersionAddress address, CancellationToken cancellationToken)
    {
        ModelManifest manifest = await files.ReadManifestAsync(owner, version, cancellationToken)
            ?? throw new StoreException(StoreError.NotFound, "the version has no manifest");
        ReadOnlyMemory<byte> signature = await files.ReadSignatureAsync(owner, version, cancellationToken)
            ?? throw new StoreException(StoreError.Damaged, "the version has no signature");
        if (!VerifyingKey.TryParseInfo(address.SigningKey.Span, out VerifyingKey? signer)) throw new StoreException(StoreError.Damaged, "the lease has no signing key");
        SignedManifest.Require(manifest, address.ManifestDigest, signature, address.SignatureDigest, signer);
        return _manifest = manifest;
    }

    /// <summary>The folder of the files, for memory mapping; null when they are encrypted, or not on this machine.</summary>
    internal string? TryGetLocalFolder() => IsEncrypted ? null : files.TryGetLocalFolder(owner, version);
}
