using System.Globalization;
using System.Runtime.CompilerServices;

namespace TinyLlm.Storage;

/// <summary>
/// Reads audit logs: <c>audit/{log}/{number of the first entry}</c>, each segment some hundreds of lines. Needs no key; whoever reads, verifies.
/// </summary>
public sealed class AuditReader(ObjectStore store)
{
    private const string Root = "audit";
    private const byte LineFeed = (byte)'\n';

    /// <summary>Lines of a log from the segment on that holds entry <paramref name="from"/>, in the order stored, as they are.</summary>
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadLinesAsync(
        AuditLogId log, long from, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        List<long> segments = await SegmentsAsync(log, cancellationToken).ConfigureAwait(false);
        int first = Math.Max(0, segments.FindLastIndex(segment => segment <= from));
        foreach (long segment in segments.Skip(first))
        {
            if (await store.GetAsync(SegmentName(log, segment), cancellationToken).ConfigureAwait(false) is not { } stored) continue;
            foreach (ReadOnlyMemory<byte> line in Lines(stored.Bytes)) yield return line;
        }
    }

    /// <summary>Entries from number <paramref name="from"/> on. What is not an entry ends the reading: the verifier says why.</summary>
    public async IAsyncEnumerable<AuditEntry> ReadAsync(AuditLogId log, long from, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (ReadOnlyMemory<byte> line in ReadLinesAsync(log, from, cancellationToken).ConfigureAwait(false))
        {
            if (!AuditLine.TryRead(line, out AuditEntry? entry)) yield break;
            if (entry.Number >= from) yield return entry;
        }
    }

    /// <summary>Removes a log.</summary>
    public Task DeleteAsync(AuditLogId log, CancellationToken cancellationToken) => store.DeletePrefixAsync(Folder(log), cancellationToken);

    internal static string SegmentName(AuditLogId log, long firstEntry) => $"{Folder(log)}/{firstEntry.ToString("D12", CultureInfo.InvariantCulture)}.jsonl";

    internal async Task<List<long>> SegmentsAsync(AuditLogId log, CancellationToken cancellationToken)
    {
        List<long> segments = [];
        await foreach (ObjectInfo info in store.ListAsync(Folder(log), cancellationToken).ConfigureAwait(false))
        {
            string name = Path.GetFileNameWithoutExtension(info.Name[(info.Name.LastIndexOf('/') + 1)..]);
            if (long.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out long first)) segments.Add(first);
        }
        segments.Sort();
        return segments;
    }

    /// <summary>Each line without its line feed; what follows the last line feed counts as a line too.</summary>
    internal static IEnumerable<ReadOnlyMemory<byte>> Lines(ReadOnlyMemory<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            int end = bytes.Span.IndexOf(LineFeed);
            yield return end < 0 ? bytes : bytes[..end];
            bytes = end < 0 ? default : bytes[(end + 1)..];
        }
    }

    private static string Folder(AuditLogId log) => $"{Root}/{log.Name}";
}
