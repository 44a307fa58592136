using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using TinyLlm.Storage;

namespace TinyLlm.Cli.Audit;

/// <summary>
/// What this program remembers of the logs that it verified: each log's key and head. A log that ends before its head, or differs there, was
/// rolled back. Kept in <c>audit-heads.json</c> beside the credentials, replaced as a whole.
/// </summary>
internal sealed class KnownHeads(string folder)
{
    private const string FileName = "audit-heads.json";

    private string FilePath { get; } = Path.Combine(folder, FileName);

    /// <summary>The head that was last verified of a log under a key; null when there is none.</summary>
    public AuditHead? Find(AuditLogId log, AuditPublicKey key) =>
        Load().Heads.TryGetValue(Name(log, key), out string? text) && AuditHead.TryParse(text, out AuditHead? head) ? head : null;

    /// <summary>The ids of all keys under which a user's log was verified; ids of users are unique, so there should be one.</summary>
    public IEnumerable<string> KeysOf(AuditLogId log) => Load().Heads.Keys.Where(name => name.EndsWith($"/{log}", StringComparison.Ordinal)).Select(name => name[..name.IndexOf('/', StringComparison.Ordinal)]);

    /// <summary>Remembers a head.</summary>
    public void Save(AuditLogId log, AuditPublicKey key, AuditHead head)
    {
        HeadsFile heads = Load();
        Directory.CreateDirectory(folder);
        string temporary = Path.Combine(folder, $"{FileName}.{Path.GetRandomFileName()}");
        try
        {
            File.WriteAllBytes(temporary, JsonSerializer.SerializeToUtf8Bytes(heads with { Heads = heads.Heads.SetItem(Name(log, key), head.ToString()) }, KnownHeadsJson.Default.HeadsFile));
            File.Move(temporary, FilePath, overwrite: true);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    private HeadsFile Load()
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(FilePath), KnownHeadsJson.Default.HeadsFile) ?? new HeadsFile();
        }
        catch (Exception fault) when (fault is FileNotFoundException or DirectoryNotFoundException)
        {
            return new HeadsFile();
        }
        catch (JsonException)
        {
            // Not to be taken for "nothing known": then a roll-back would pass.
            throw new UsageException($"'{FilePath}' is not JSON: restore it, or delete it and know that roll-backs until now pass unnoticed");
        }
    }

    private static string Name(AuditLogId log, AuditPublicKey key) => $"{key.Id}/{log}";
}

/// <summary>The file: heads by "key id/log".</summary>
internal sealed record HeadsFile
{
    public ImmutableSortedDictionary<string, string> Heads { get; init; } = ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);
}

/// <summary>How it is read and written.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(HeadsFile))]
internal sealed partial class KnownHeadsJson : JsonSerializerContext;
