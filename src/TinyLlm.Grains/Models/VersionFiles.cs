using TinyLlm.Grains.Errors;
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
    /// The manifest, if it is the one that the owner's record names; else the stored version is damaged. Throws
    /// <see cref="StoreError.NotFound"/> when there is none.
    /// </summary>
    internal async Task<ModelManifest> ReadManifestAsync(string digest, CancellationToken cancellationToken)
    {
        ModelManifest manifest = await files.ReadManifestAsync(owner, version, cancellationToken)
            ?? throw new StoreException(StoreError.NotFound, "the version has no manifest");
        return manifest.Digest.Hex == digest
            ? manifest
            : throw new StoreException(StoreError.Damaged, "the version's manifest is not the one that its owner's record names");
    }

    /// <summary>The folder of the files, for memory mapping.</summary>
    internal string RequireLocalFolder() =>
        files.TryGetLocalFolder(owner, version) ?? throw new StoreException(StoreError.NotFound, "the version has no local files");
}
