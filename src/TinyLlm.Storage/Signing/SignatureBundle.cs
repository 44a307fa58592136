using System.Collections.Immutable;
using System.Text;
using System.Text.Json;

namespace TinyLlm.Storage;

/// <summary>
/// A model's signature as a file, <c>model.sig</c>: a Sigstore bundle v0.3 around a DSSE envelope around a <see cref="ModelStatement"/>, as
/// <c>model_signing sign key</c> writes it. A statement comes out only with <see cref="Verify"/>; <see cref="UnverifiedStatement"/> says so by its name.
/// </summary>
public sealed class SignatureBundle
{
    /// <summary>More than the signature of a thousand files has.</summary>
    public const int MaxBytes = 4 << 20;

    private const string MediaType = "application/vnd.dev.sigstore.bundle.v0.3+json";
    private const string PayloadType = "application/vnd.in-toto+json";

    private readonly byte[] payload;
    private readonly byte[] signature;

    private SignatureBundle(byte[] payload, byte[] signature, string? hint, bool byKey)
    {
        this.payload = payload;
        this.signature = signature;
        Hint = hint;
        IsByKey = byKey;
    }

    /// <summary>The <see cref="VerifyingKey.Hint"/> of the key that is said to have signed; null where the bundle doesn't tell.</summary>
    public string? Hint { get; }

    /// <summary>Whether a key signed it, which can be checked here; else a certificate did.</summary>
    public bool IsByKey { get; }

    /// <summary>The bundle's bytes over a statement.</summary>
    public static byte[] Sign(ModelStatement statement, SigningKey key)
    {
        byte[] payload = statement.Write();
        using MemoryStream bytes = new();
        using (Utf8JsonWriter writer = new(bytes))
        {
            writer.WriteStartObject();
            writer.WriteString("mediaType", MediaType);
            writer.WriteStartObject("verificationMaterial");
            writer.WriteStartObject("publicKey");
            writer.WriteString("hint", key.PublicKey.Hint);
            writer.WriteEndObject();
            writer.WriteStartArray("tlogEntries");
            writer.WriteEndArray();
            writer.WriteEndObject();
            writer.WriteStartObject("dsseEnvelope");
            writer.WriteBase64String("payload", payload);
            writer.WriteString("payloadType", PayloadType);
            writer.WriteStartArray("signatures");
            writer.WriteStartObject();
            writer.WriteBase64String("sig", key.Sign(PreAuthenticationEncoding(payload)));
            writer.WriteString("keyid", "");
            writer.WriteEndObject();
            writer.WriteEndArray();
            writer.WriteEndObject();
            writer.WriteEndObject();
        }
        return bytes.ToArray();
    }

    /// <summary>Reads a bundle; nothing is verified by that.</summary>
    /// <exception cref="SignatureException">Malformed.</exception>
    public static SignatureBundle Parse(ReadOnlyMemory<byte> json)
    {
        if (json.Length > MaxBytes) throw Malformed($"it has {json.Length} bytes, and {MaxBytes} is the bound");
        try
        {
            using JsonDocument document = JsonDocument.Parse(json, new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = 32 });
            return Read(document.RootElement);
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw Malformed("it is no Sigstore bundle v0.3 with an in-toto statement");
        }
    }

    /// <summary>The statement, signed by <paramref name="key"/>.</summary>
    /// <exception cref="SignatureException">Unsupported, OtherKey, NotAuthentic, and what a statement may lack.</exception>
    public ModelStatement Verify(VerifyingKey key)
    {
        if (!IsByKey) throw new SignatureException(SignatureError.Unsupported, "this signature can't be checked here: a certificate made it, not a key");
        if (Hint is not null && Hint != key.Hint)
            throw new SignatureException(SignatureError.OtherKey, $"the signature was made by the key {Hint}, and the key given is {key.Hint}");
        if (!key.Verifies(PreAuthenticationEncoding(payload), signature))
            throw new SignatureException(SignatureError.NotAuthentic, "the signature is not the key's over this statement: the bundle was changed, or another key made it");
        return StatementReader.Read(payload);
    }

    /// <summary>What anybody may have written: good for comparing with files, not for trusting.</summary>
    /// <exception cref="SignatureException">What a statement may lack.</exception>
    public ModelStatement UnverifiedStatement() => StatementReader.Read(payload);

    /// <summary>Which of the keys made the signature; null when none of them did, as far as one can tell.</summary>
    /// <exception cref="SignatureException">NotAuthentic: the bundle names one of the keys, which didn't make it. Else as <see cref="Verify"/>.</exception>
    public VerifyingKey? FindSigner(ImmutableArray<VerifyingKey> keys)
    {
        if (!IsByKey) return null;
        if (keys.FirstOrDefault(key => key.Hint == Hint) is { } named)
        {
            Verify(named);
            return named;
        }
        // Other tools call their keys otherwise, or not at all.
        return keys.FirstOrDefault(key => key.Verifies(PreAuthenticationEncoding(payload), signature));
    }

    /// <summary>The bytes that are signed, as DSSE v1 has them.</summary>
    internal static byte[] PreAuthenticationEncoding(ReadOnlySpan<byte> payload) =>
        [.. Encoding.ASCII.GetBytes($"DSSEv1 {PayloadType.Length} {PayloadType} {payload.Length} "), .. payload];

    private static SignatureBundle Read(JsonElement bundle)
    {
        if (bundle.GetProperty("mediaType").GetString() != MediaType) throw new FormatException("another media type");
        JsonElement material = bundle.GetProperty("verificationMaterial");
        bool byKey = material.TryGetProperty("publicKey", out JsonElement publicKey);
        string? hint = byKey && publicKey.TryGetProperty("hint", out JsonElement named) && named.ValueKind != JsonValueKind.Null ? named.GetString() : null;
        JsonElement envelope = bundle.GetProperty("dsseEnvelope");
        if (envelope.GetProperty("payloadType").GetString() != PayloadType) throw new FormatException("another payload type");
        JsonElement signatures = envelope.GetProperty("signatures");
        if (signatures.GetArrayLength() != 1) throw new FormatException("not one signature");
        return new SignatureBundle(
            envelope.GetProperty("payload").GetBytesFromBase64(), signatures[0].GetProperty("sig").GetBytesFromBase64(), string.IsNullOrEmpty(hint) ? null : hint, byKey);
    }

    private static SignatureException Malformed(string why) => new(SignatureError.Malformed, $"the signature can't be read: {why}");
}
