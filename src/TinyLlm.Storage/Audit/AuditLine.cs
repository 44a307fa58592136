using System.Buffers;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace TinyLlm.Storage;

/// <summary>
/// The stored form of an entry: a line of JSON whose last two members are <c>prev</c>, the SHA-256 of the line before, and <c>sig</c>, the host's
/// signature over all bytes before it. So a line authenticates everything before it, and is itself authenticated by its own signature: every
/// entry is a signed head. Hashes and signatures are lower-case hex: base64 has several spellings of the same bytes.
/// </summary>
internal static class AuditLine
{
    /// <summary>Enough for <see cref="AuditEvent.MaxDetails"/> details with every character escaped.</summary>
    public const int MaxBytes = 64 << 10;

    private static readonly SearchValues<byte> HexDigits = SearchValues.Create("0123456789abcdef"u8);

    private static readonly int TailLength = SignatureMark.Length + (2 * AuditKey.SignatureBytes) + End.Length;

    private static ReadOnlySpan<byte> SignatureMark => ",\"sig\":\""u8;

    private static ReadOnlySpan<byte> End => "\"}"u8;

    /// <summary>The line, without a line feed.</summary>
    public static byte[] Write(AuditLogId log, AuditHead before, DateTimeOffset at, AuditEvent told, AuditKey key)
    {
        AuditLineJson json = new()
        {
            N = before.Entries + 1,
            At = at.ToUniversalTime(),
            Log = log.Name,
            Action = JsonSerializer.Serialize(told.Action, AuditLineJsonContext.Default.AuditAction).Trim('"'),
            Actor = Bounded(told.Actor),
            Subject = told.Subject is null ? null : Bounded(told.Subject),
            Details = told.Details.Take(AuditEvent.MaxDetails).ToImmutableSortedDictionary(pair => Bounded(pair.Key), pair => Bounded(pair.Value), StringComparer.Ordinal),
            Prev = before.Hash,
        };
        ArrayBufferWriter<byte> line = new();
        line.Write(JsonSerializer.SerializeToUtf8Bytes(json, AuditLineJsonContext.Default.AuditLineJson).AsSpan()[..^1]); // without the closing brace
        byte[] signature = key.Sign(AuditKey.Purpose.Entry, line.WrittenSpan);
        line.Write(SignatureMark);
        line.Write(System.Text.Encoding.ASCII.GetBytes(Convert.ToHexStringLower(signature)));
        line.Write(End);
        return line.WrittenSpan.ToArray();
    }

    /// <summary>Reads a line's members; whether they are true is the verifier's question.</summary>
    public static bool TryRead(ReadOnlyMemory<byte> line, [NotNullWhen(true)] out AuditEntry? entry)
    {
        entry = null;
        if (line.Length is 0 or > MaxBytes) return false;
        try
        {
            if (JsonSerializer.Deserialize(line.Span, AuditLineJsonContext.Default.AuditLineJson) is not { } json) return false;
            entry = new AuditEntry
            {
                Number = json.N,
                At = json.At,
                Log = json.Log,
                Action = json.Action,
                Actor = json.Actor,
                Subject = json.Subject,
                Details = json.Details ?? ImmutableSortedDictionary<string, string>.Empty,
                Previous = json.Prev,
                Line = line,
            };
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>Whether the line ends with a signature of <paramref name="key"/> over the rest of it.</summary>
    public static bool IsSigned(ReadOnlySpan<byte> line, AuditPublicKey key)
    {
        if (line.Length <= TailLength) return false;
        ReadOnlySpan<byte> tail = line[^TailLength..];
        if (!tail.StartsWith(SignatureMark) || !tail.EndsWith(End)) return false;
        ReadOnlySpan<byte> hex = tail[SignatureMark.Length..^End.Length];
        if (hex.ContainsAnyExcept(HexDigits)) return false;
        return key.Verifies(AuditKey.Purpose.Entry, line[..^TailLength], Convert.FromHexString(System.Text.Encoding.ASCII.GetString(hex)));
    }

    public static string Hash(ReadOnlySpan<byte> line) => Convert.ToHexStringLower(SHA256.HashData(line));

    private static string Bounded(string text) => text.Length <= AuditEvent.MaxTextLength
        ? text
        : throw new ArgumentException($"a text of an audit event has {text.Length} characters, and {AuditEvent.MaxTextLength} is the bound", nameof(text));
}

/// <summary>The line's members that are signed, in their order.</summary>
internal sealed record AuditLineJson
{
    public required long N { get; init; }

    public required DateTimeOffset At { get; init; }

    public required string Log { get; init; }

    public required string Action { get; init; }

    public required string Actor { get; init; }

    public string? Subject { get; init; }

    public ImmutableSortedDictionary<string, string>? Details { get; init; }

    public required string Prev { get; init; }

    /// <summary>Only read; see <see cref="AuditLine"/>.</summary>
    public string? Sig { get; init; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true,
    AllowDuplicateProperties = false)]
[JsonSerializable(typeof(AuditLineJson))]
[JsonSerializable(typeof(AuditAction))]
internal sealed partial class AuditLineJsonContext : JsonSerializerContext;
