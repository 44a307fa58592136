using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace TinyLlm.Storage;

/// <summary>The first line of an exported log: <c>{"tinyllm_audit":1,"log":"user-...","key":"base64 of the public key"}</c>; the log's own lines follow.</summary>
public sealed record AuditExport(AuditLogId Log, AuditPublicKey Key)
{
    private const int Version = 1;

    /// <summary>The line, with its line feed.</summary>
    public static byte[] WriteHeader(AuditLogId log, string publicKey) =>
        [.. JsonSerializer.SerializeToUtf8Bytes(new AuditExportJson(Version, log.Name, publicKey), AuditExportJsonContext.Default.AuditExportJson), (byte)'\n'];

    /// <summary>Reads the line; the key in it is only what the file says.</summary>
    public static bool TryParseHeader(ReadOnlySpan<byte> line, [NotNullWhen(true)] out AuditExport? export)
    {
        export = null;
        if (line.Length is 0 or > AuditLine.MaxBytes) return false;
        try
        {
            AuditExportJson? json = JsonSerializer.Deserialize(line, AuditExportJsonContext.Default.AuditExportJson);
            if (json is not { TinyllmAudit: Version }) return false;
            if (!AuditLogId.TryParse(json.Log, out AuditLogId log) || !AuditPublicKey.TryParse(json.Key, out AuditPublicKey? key)) return false;
            export = new AuditExport(log, key);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}

internal sealed record AuditExportJson(int TinyllmAudit, string Log, string Key);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(AuditExportJson))]
internal sealed partial class AuditExportJsonContext : JsonSerializerContext;
