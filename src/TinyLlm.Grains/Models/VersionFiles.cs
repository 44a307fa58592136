using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Residency;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Models;

/// <summary>The files of one model version, as validation and loading read them.</summary>
public sealed class VersionFiles(ModelFiles files, UserId owner, VersionId version)
{
    /// <summary>A small file whole; one that is longer than <paramref name="maxBytes"/> is not read.</summary>
    internal async Task<byte[]> ReadAsync(string name, long maxBytes, CancellationToken cancellationToken)
    {
        ModelFileName file = ModelFileName.Parse(name);
        long length = await files.LengthAsync(owner, version, file, cancellationToken) ?? throw new StoreException(StoreError.NotFound, $"{name} is not there");
        if (length > maxBytes)
        {
            throw new RequestException(RequestError.ModelInvalid, $"{name} has {length} bytes, and {maxBytes} is its bound.")
            {
                Detail = "file_too_large",
                FileName = name,
            };
        }
        return (await files.ReadAsync(owner, version, file, cancellationToken))?.ToArray() ?? throw new StoreException(StoreError.NotFound, $"{name} is not there");
    }

    /// <summary>A stream over a file of any length.</summary>
    internal Task<Stream> OpenReadAsync(string name, CancellationToken cancellationToken) =>
        files.OpenReadAsync(owner, version, ModelFileName.Parse(name), cancellationToken);

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
        if (!VerifyingKey.TryParseInfo(address.SigningKey.Span, out VerifyingKey? key)) throw new StoreException(StoreError.Damaged, "the lease has no signing key");
        SignedManifest.Require(manifest, address.ManifestDigest, signature, address.SignatureDigest, key);
        return manifest;
    }

    /// <summary>The folder of the files, for memory mapping.</summary>
    internal string RequireLocalFolder() =>
        files.TryGetLocalFolder(owner, version) ?? throw new StoreException(StoreError.NotFound, "the version has no local files");
}
