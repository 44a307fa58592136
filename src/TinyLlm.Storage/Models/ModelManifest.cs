using System.Buffers;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;

namespace TinyLlm.Storage;

/// <summary>
/// What a published version consists of: every file with length and digest, in the order of the names' code points. Its canonical bytes are JSON
/// without white space in one fixed order of fields, so the same files give the same bytes, and <see cref="Digest"/> is the version's identity.
/// The host's signature (<see cref="SignedManifest"/>) covers it, and so the commitments of encrypted files.
/// </summary>
public sealed class ModelManifest
{
    /// <summary>More files than any model has.</summary>
    public const int MaxFiles = 1_024;

    /// <summary>The format of these bytes.</summary>
    private const int Format = 2;

    private ModelManifest(VersionId version, ImmutableArray<ManifestFile> files, byte[] canonicalBytes)
    {
        Version = version;
        Files = files;
        CanonicalBytes = canonicalBytes;
        Digest = new ContentDigest(SHA256.HashData(canonicalBytes));
    }

    public VersionId Version { get; }

    public ImmutableArray<ManifestFile> Files { get; }

    public ReadOnlyMemory<byte> CanonicalBytes { get; }

    /// <summary>SHA-256 of <see cref="CanonicalBytes"/>.</summary>
    public ContentDigest Digest { get; }

    public long TotalBytes => Files.Sum(file => file.Length);

    public static ModelManifest Create(VersionId version, IEnumerable<ManifestFile> files)
    {
        ImmutableArray<ManifestFile> sorted = [.. files.OrderBy(file => file.Name.Value, StringComparer.Ordinal)];
        if (sorted.Length > MaxFiles) throw new ArgumentException($"{sorted.Length} files, at most {MaxFiles} are allowed", nameof(files));
        if (sorted.DistinctBy(file => file.Name).Count() != sorted.Length) throw new ArgumentException("a file is listed twice", nameof(files));
        return new ModelManifest(version, sorted, Write(version, sorted));
    }

    /// <summary>Reads canonical bytes, and only those: any other spelling of the same content is refused.</summary>
    /// <exception cref="StoreException">Damaged.</exception>
    public static ModelManifest Parse(ReadOnlySpan<byte> json)
    {
        ModelManifest? manifest = null;
        try
        {
            Utf8JsonReader reader = new(json);
            ManifestJson? read = JsonSerializer.Deserialize(ref reader, ManifestJsonContext.Default.ManifestJson);
            bool whole = read is { Format: Format, Files.IsDefault: false } && !read.Files.Contains(null!);
            manifest = whole ? Create(read!.Version, read.Files.Select(file => file.ToManifestFile())) : null;
        }
        catch (Exception error) when (error is JsonException or ArgumentException or FormatException)
        {
            throw Damaged(error);
        }
        return manifest is not null && manifest.CanonicalBytes.Span.SequenceEqual(json) ? manifest : throw Damaged(null);
    }

    private static byte[] Write(VersionId version, ImmutableArray<ManifestFile> files)
    {
        ArrayBufferWriter<byte> bytes = new();
        using (Utf8JsonWriter writer = new(bytes))
        {
            writer.WriteStartObject();
            writer.WriteNumber("format", Format);
            writer.WriteString("version", version.Value);
            writer.WriteStartArray("files");
            foreach (ManifestFile file in files)
            {
                writer.WriteStartObject();
                writer.WriteString("name", file.Name.Value);
                writer.WriteNumber("length", file.Length);
                writer.WriteString("sha256", file.Sha256.Hex);
                if (file.Commitment is not null) writer.WriteString("commitment", file.Commitment);
                writer.WriteEndObject();
            }
            writer.WriteEndArray();
            writer.WriteEndObject();
        }
        return bytes.WrittenSpan.ToArray();
    }

    private static StoreException Damaged(Exception? cause) => new(StoreError.Damaged, "the version's manifest is not as it was written", cause);
}
