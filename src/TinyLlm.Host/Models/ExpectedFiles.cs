using TinyLlm.Grains.Errors;
using TinyLlm.Storage;

namespace TinyLlm.Host.Models;

/// <summary>What a client says that its upload consists of: these files with these digests, and no other. Refusals are <see cref="RequestError.FilesDiffer"/>.</summary>
internal sealed class ExpectedFiles(IReadOnlyDictionary<ModelFileName, ContentDigest> digests)
{
    private const string Closed = "the upload's files don't change any more: begin a new upload";

    /// <summary>Refuses an open upload that has a file too few or too many.</summary>
    public void RequireNames(IReadOnlyCollection<ModelFileName> names) =>
        RequireNames(names, "send it, and commit again", "name it in the commit too, or begin a new upload without it");

    /// <summary>Refuses an open upload with other files; each can be sent again.</summary>
    public void Require(ModelManifest manifest)
    {
        RequireNames([.. manifest.Files.Select(file => file.Name)]);
        RequireDigests(manifest, "send the file anew, from its beginning and without Upload-Offset, and commit again");
    }

    /// <summary>Refuses an upload with other files that was closed by an earlier commit, whose end came to nobody's ears or was another's.</summary>
    public void RequireClosed(ModelManifest manifest)
    {
        RequireNames([.. manifest.Files.Select(file => file.Name)], Closed, Closed);
        RequireDigests(manifest, Closed);
    }

    private void RequireNames(IReadOnlyCollection<ModelFileName> names, string ifMissing, string ifTooMany)
    {
        foreach ((ModelFileName name, ContentDigest digest) in digests)
        {
            if (!names.Contains(name)) throw Differ(name, "file_not_sent", $"the upload has no such file, and the commit expects one with SHA-256 {digest.Hex}", ifMissing);
        }
        foreach (ModelFileName name in names)
        {
            if (!digests.ContainsKey(name)) throw Differ(name, "file_not_expected", "the upload has this file, and the commit expects none of this name", ifTooMany);
        }
    }

    private void RequireDigests(ModelManifest manifest, string remedy)
    {
        foreach (ManifestFile file in manifest.Files)
        {
            ContentDigest expected = digests[file.Name];
            if (!file.Sha256.Equals(expected)) throw Differ(file.Name, "file_differs", $"the upload's file has SHA-256 {file.Sha256.Hex}, and the commit expects {expected.Hex}", remedy);
        }
    }

    private static RequestException Differ(ModelFileName name, string detail, string fault, string remedy) =>
        new(RequestError.FilesDiffer, $"{name}: {fault}: {remedy}.") { FileName = name.Value, Detail = detail };
}
