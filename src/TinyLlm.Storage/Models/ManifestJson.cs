using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace TinyLlm.Storage;

/// <summary>The manifest's JSON as it is read.</summary>
internal sealed record ManifestJson
{
    public required int Format { get; init; }

    public required VersionId Version { get; init; }

    public required ImmutableArray<FileJson> Files { get; init; }

    internal sealed record FileJson
    {
        public required ModelFileName Name { get; init; }

        public required long Length { get; init; }

        public required string Sha256 { get; init; }

        public string? Commitment { get; init; }

        public ManifestFile ToManifestFile() =>
            Length >= 0 && ContentDigest.TryParseHex(Sha256, out ContentDigest? digest) && (Commitment is null || ContentDigest.TryParseHex(Commitment, out _))
                ? new ManifestFile(Name, Length, digest, Commitment)
                : throw new FormatException("a file's length, digest or commitment is malformed");
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, AllowDuplicateProperties = false)]
[JsonSerializable(typeof(ManifestJson))]
internal sealed partial class ManifestJsonContext : JsonSerializerContext;
