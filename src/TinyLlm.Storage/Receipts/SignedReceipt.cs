using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace TinyLlm.Storage;

/// <summary>
/// A receipt as it is handed out: <c>{"payload": base64 of the JSON text, "key": base64 of the public key, "signature": hex}</c>. The signature is
/// ECDSA P-256 with SHA-256, r and s of 32 bytes each, over "tinyllm-receipt-v1\n" and the payload's bytes, by the key that also signs audit entries.
/// </summary>
[GenerateSerializer, Immutable, Alias("tinyllm.SignedReceipt")]
public sealed record SignedReceipt
{
    private const int MaxBytes = 1 << 20;

    /// <summary>Base64 of <see cref="ForgetReceiptText"/> as JSON.</summary>
    [Id(0)] public required string Payload { get; init; }

    /// <summary><see cref="AuditPublicKey.Text"/>; only what the receipt says.</summary>
    [Id(1)] public required string Key { get; init; }

    /// <summary>Lower-case hexadecimal signature.</summary>
    [Id(2)] public required string Signature { get; init; }

    /// <summary>Signs a text.</summary>
    public static SignedReceipt Sign(ForgetReceiptText text, AuditKey key)
    {
        byte[] payload = JsonSerializer.SerializeToUtf8Bytes(text, ReceiptJson.Default.ForgetReceiptText);
        return new SignedReceipt
        {
            Payload = Convert.ToBase64String(payload),
            Key = key.PublicKey.Text,
            Signature = Convert.ToHexStringLower(key.Sign(AuditKey.Purpose.Receipt, payload)),
        };
    }

    /// <summary>Reads a receipt's file: the receipt itself, or an answer that has it as "receipt".</summary>
    public static bool TryParse(ReadOnlySpan<byte> json, [NotNullWhen(true)] out SignedReceipt? receipt)
    {
        receipt = null;
        if (json.Length is 0 or > MaxBytes) return false;
        try
        {
            Utf8JsonReader reader = new(json);
            JsonElement element = JsonElement.ParseValue(ref reader);
            if (element.ValueKind == JsonValueKind.Object && element.TryGetProperty("receipt", out JsonElement inner)) element = inner;
            receipt = element.Deserialize(ReceiptJson.Default.SignedReceipt);
            return receipt is not null;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>The text, if <paramref name="key"/> signed it.</summary>
    public bool TryVerify(AuditPublicKey key, [NotNullWhen(true)] out ForgetReceiptText? text)
    {
        text = null;
        try
        {
            byte[] payload = Convert.FromBase64String(Payload);
            if (!key.Verifies(AuditKey.Purpose.Receipt, payload, Convert.FromHexString(Signature))) return false;
            text = JsonSerializer.Deserialize(payload, ReceiptJson.Default.ForgetReceiptText);
            return text is not null;
        }
        catch (Exception fault) when (fault is FormatException or JsonException)
        {
            return false;
        }
    }
}
