using System.Text.Json;

namespace TinyLlm.Storage;

/// <summary>Reads a signed statement, strictly: what it doesn't understand it refuses, but for fields that v1.0 tells verifiers to ignore.</summary>
internal static class StatementReader
{
    /// <summary>Every file of a model is compared with every ignored path; the public tool writes four.</summary>
    private const int MaxIgnoredPaths = 1_000;

    /// <exception cref="SignatureException">Malformed, Unsupported, Inconsistent.</exception>
    public static ModelStatement Read(ReadOnlyMemory<byte> payload)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(payload, new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = 16 });
            return Read(document.RootElement);
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw new SignatureException(SignatureError.Malformed, "the signed statement is no in-toto statement of OpenSSF Model Signing v1.0");
        }
    }

    private static ModelStatement Read(JsonElement statement)
    {
        if (Text(statement, "_type") != ModelStatement.StatementType) throw new FormatException("another statement type");
        string predicateType = Text(statement, "predicateType");
        if (predicateType == ModelStatement.OlderPredicateType) throw Unsupported("it was made before v1.0 of the format");
        if (predicateType != ModelStatement.PredicateType) throw new FormatException("another predicate type");
        JsonElement subjects = statement.GetProperty("subject");
        if (subjects.GetArrayLength() != 1) throw new FormatException("not one subject");
        string root = Text(subjects[0].GetProperty("digest"), "sha256");

        JsonElement predicate = statement.GetProperty("predicate");
        JsonElement serialization = predicate.GetProperty("serialization");
        if (Text(serialization, "method") != "files") throw Unsupported("it covers shards, not files");
        if (Text(serialization, "hash_type") != "sha256") throw Unsupported("it has another hash than SHA-256");

        ModelStatement read = new(
            Text(subjects[0], "name"),
            [.. predicate.GetProperty("resources").EnumerateArray().Select(ReadFile)],
            serialization.TryGetProperty("ignore_paths", out JsonElement ignored) ? [.. ignored.EnumerateArray().Select(path => IgnoredPath(path.GetString()))] : [],
            ManifestOf(predicate));
        if (read.IgnoredPaths.Length > MaxIgnoredPaths)
            throw new SignatureException(SignatureError.Malformed, $"the signed statement ignores {read.IgnoredPaths.Length} paths, and {MaxIgnoredPaths} is the bound");
        if (read.Files.DistinctBy(file => file.Name).Count() != read.Files.Length)
            throw new SignatureException(SignatureError.Inconsistent, "the signed statement lists a file twice");
        if (!ContentDigest.TryParseHex(root, out ContentDigest? digest) || !digest.Equals(read.Root()))
            throw new SignatureException(SignatureError.Inconsistent, "the signed statement's root digest is not that of its files");
        return read;
    }

    private static SignedFile ReadFile(JsonElement resource)
    {
        if (Text(resource, "algorithm") != "sha256") throw Unsupported("it has another hash than SHA-256");
        return new SignedFile(Text(resource, "name"), Digest(Text(resource, "digest")));
    }

    private static ContentDigest? ManifestOf(JsonElement predicate) =>
        predicate.TryGetProperty("tinyllm", out JsonElement ours) ? Digest(Text(ours, "manifest_sha256")) : null;

    /// <summary>An empty one, or the folder itself, would ignore everything.</summary>
    private static string IgnoredPath(string? path)
    {
        string trimmed = (path ?? throw new FormatException("a path that is null")).TrimEnd('/');
        return trimmed is "" or "." ? throw new FormatException("a path that ignores everything") : trimmed;
    }

    private static ContentDigest Digest(string hex) => ContentDigest.TryParseHex(hex, out ContentDigest? digest) ? digest : throw new FormatException("not a SHA-256");

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString() ?? throw new FormatException("null");

    private static SignatureException Unsupported(string why) => new(SignatureError.Unsupported, $"this signature can't be checked here: {why}");
}
