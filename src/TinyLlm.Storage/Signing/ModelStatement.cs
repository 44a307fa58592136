using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;

namespace TinyLlm.Storage;

/// <summary>
/// What is signed of a model: an in-toto statement with the predicate of OpenSSF Model Signing v1.0 over every file. Ours also names the digest of the
/// version's manifest, in a field that verifiers of v1.0 ignore; it binds what the format has no place for, such as commitments of encrypted files.
/// </summary>
public sealed class ModelStatement
{
    internal const string StatementType = "https://in-toto.io/Statement/v1";
    internal const string PredicateType = "https://model_signing/signature/v1.0";

    /// <summary>The predicate type of signatures made before v1.0.</summary>
    internal const string OlderPredicateType = "https://model_signing/Digests/v0.1";

    /// <summary>What the public tool leaves out of a signature by default.</summary>
    private static readonly ImmutableArray<string> GitPaths = [".git", ".gitattributes", ".github", ".gitignore"];

    internal ModelStatement(string name, ImmutableArray<SignedFile> files, ImmutableArray<string> ignoredPaths, ContentDigest? manifest)
    {
        Name = name;
        Files = files;
        IgnoredPaths = ignoredPaths;
        Manifest = manifest;
    }

    /// <summary>The subject's name: what the signer called the model. Nothing depends on it.</summary>
    public string Name { get; }

    /// <summary>Every signed file.</summary>
    public ImmutableArray<SignedFile> Files { get; }

    /// <summary>Paths below the folder that the signature says nothing of.</summary>
    public ImmutableArray<string> IgnoredPaths { get; }

    /// <summary>Digest of the version's manifest; null in a foreign statement.</summary>
    public ContentDigest? Manifest { get; }

    /// <summary>The statement over a version's files. An uploaded signature is no part of it: an export has this one in its place.</summary>
    public static ModelStatement Of(string name, ModelManifest manifest) => new(
        name,
        [.. manifest.Files.Where(file => file.Name.Kind != ModelFileKind.Signature).Select(file => new SignedFile(file.Name.Value, file.Sha256))],
        GitPaths,
        manifest.Digest);

    /// <summary>SHA-256 over the files' digests, one after the other.</summary>
    internal ContentDigest Root()
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (SignedFile file in Files) hash.AppendData(Convert.FromHexString(file.Sha256.Hex));
        return new ContentDigest(hash.GetHashAndReset());
    }

    /// <summary>Compares with the files that are there; paths that the statement ignores don't count.</summary>
    /// <exception cref="SignatureException">FileMissing, FileNotSigned, FileChanged: the first of <see cref="Compare"/>.</exception>
    public void RequireFiles(IEnumerable<SignedFile> present)
    {
        IReadOnlyList<SignatureException> differences = Compare(present);
        if (differences.Count > 0) throw differences[0];
    }

    /// <summary>Every difference from the files that are there: signed ones by name, then those that were not signed.</summary>
    public IReadOnlyList<SignatureException> Compare(IEnumerable<SignedFile> present)
    {
        List<SignatureException> differences = [];
        Dictionary<string, ContentDigest> there = present.Where(file => !Ignores(file.Name)).ToDictionary(file => file.Name, file => file.Sha256, StringComparer.Ordinal);
        foreach (SignedFile signed in Files.OrderBy(file => file.Name, StringComparer.Ordinal))
        {
            if (!there.Remove(signed.Name, out ContentDigest? digest))
                differences.Add(new SignatureException(SignatureError.FileMissing, $"the signature covers '{signed.Name}', which is not there", signed.Name));
            else if (!digest.Equals(signed.Sha256))
                differences.Add(new SignatureException(SignatureError.FileChanged, $"'{signed.Name}' is not the file that was signed", signed.Name));
        }
        differences.AddRange(there.Keys.Order(StringComparer.Ordinal)
            .Select(extra => new SignatureException(SignatureError.FileNotSigned, $"'{extra}' is there and was not signed", extra)));
        return differences;
    }

    /// <summary>Whether a path, or a folder above it, is ignored.</summary>
    public bool Ignores(string path) => IgnoredPaths.Any(ignored =>
        path.StartsWith(ignored, StringComparison.Ordinal) && (path.Length == ignored.Length || path[ignored.Length] == '/'));

    /// <summary>The bytes that are signed.</summary>
    internal byte[] Write()
    {
        using MemoryStream bytes = new();
        using (Utf8JsonWriter writer = new(bytes))
        {
            writer.WriteStartObject();
            writer.WriteString("_type", StatementType);
            writer.WriteStartArray("subject");
            writer.WriteStartObject();
            writer.WriteString("name", Name);
            writer.WriteStartObject("digest");
            writer.WriteString("sha256", Root().Hex);
            writer.WriteEndObject();
            writer.WriteEndObject();
            writer.WriteEndArray();
            writer.WriteString("predicateType", PredicateType);
            writer.WriteStartObject("predicate");
            WriteSerialization(writer);
            WriteResources(writer);
            if (Manifest is not null)
            {
                writer.WriteStartObject("tinyllm");
                writer.WriteString("manifest_sha256", Manifest.Hex);
                writer.WriteEndObject();
            }
            writer.WriteEndObject();
            writer.WriteEndObject();
        }
        return bytes.ToArray();
    }

    private void WriteSerialization(Utf8JsonWriter writer)
    {
        writer.WriteStartObject("serialization");
        writer.WriteString("method", "files");
        writer.WriteString("hash_type", "sha256");
        writer.WriteBoolean("allow_symlinks", false);
        writer.WriteStartArray("ignore_paths");
        foreach (string path in IgnoredPaths) writer.WriteStringValue(path);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private void WriteResources(Utf8JsonWriter writer)
    {
        writer.WriteStartArray("resources");
        foreach (SignedFile file in Files)
        {
            writer.WriteStartObject();
            writer.WriteString("name", file.Name);
            writer.WriteString("algorithm", "sha256");
            writer.WriteString("digest", file.Sha256.Hex);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }
}
