using System.Security.Cryptography;

namespace TinyLlm.Storage;

/// <summary>
/// Appends to audit logs. Who owns a log keeps its <see cref="AuditPosition"/> with the state that the log tells of, and is the only one to append:
/// <list type="number">
/// <item>append what is about to happen; when that fails, it must not happen,</item>
/// <item>write the state together with the position after it,</item>
/// <item>when the two differ later (a crash or a failure in between), <see cref="ReconcileAsync"/> tells the log so.</item>
/// </list>
/// </summary>
public sealed class AuditLog(ObjectStore store, AuditKey key, TimeProvider time)
{
    /// <summary>Entries of a segment: at some 400 bytes each, one small read.</summary>
    internal const int SegmentEntries = 512;

    /// <summary>For those who verify.</summary>
    public AuditPublicKey PublicKey => key.PublicKey;

    /// <summary>Signs a receipt with the key that signs entries.</summary>
    public SignedReceipt Sign(ForgetReceiptText text) => SignedReceipt.Sign(text, key);

    /// <summary>Makes the entry durable and answers the position after it.</summary>
    /// <exception cref="StoreException">OffsetMismatch: the log does not end at <paramref name="position"/>; and what else a store answers.</exception>
    public async Task<AuditPosition> AppendAsync(AuditLogId log, AuditPosition position, AuditEvent told, CancellationToken cancellationToken)
    {
        long number = position.Entries + 1;
        bool full = number - position.Segment >= SegmentEntries;
        long segment = full ? number : position.Segment;
        long offset = full ? 0 : position.SegmentBytes;
        byte[] line = AuditLine.Write(log, new AuditHead(position.Entries, position.Hash), time.GetUtcNow(), told, key);
        byte[] stored = [.. line, (byte)'\n'];
        using MemoryStream body = new(stored, writable: false);
        // With a digest, so that no part of a line counts before all of it is there.
        await store.AppendAsync(AuditReader.SegmentName(log, segment), offset, body, long.MaxValue, new ContentDigest(SHA256.HashData(stored)), cancellationToken).ConfigureAwait(false);
        return new AuditPosition { Entries = number, Hash = AuditLine.Hash(line), Segment = segment, SegmentBytes = offset + stored.Length };
    }

    /// <summary>
    /// Compares the log with the position that its owner's state has. Entries beyond it were never carried out: an entry says so. Entries that are
    /// missing or others than the state knows: an entry says so, and follows where the state stands, so that the gap stays visible.
    /// </summary>
    /// <returns>The position to go on from; the same as <paramref name="position"/> when all is well.</returns>
    public async Task<AuditPosition> ReconcileAsync(AuditLogId log, AuditPosition position, CancellationToken cancellationToken)
    {
        string name = AuditReader.SegmentName(log, position.Segment);
        long next = position.Entries + 1;
        bool filled = next - position.Segment >= SegmentEntries;
        long length = await store.LengthAsync(name, cancellationToken).ConfigureAwait(false) ?? 0;
        long nextLength = filled ? await store.LengthAsync(AuditReader.SegmentName(log, next), cancellationToken).ConfigureAwait(false) ?? 0 : 0;
        if (length == position.SegmentBytes && nextLength == 0) return position;
        if (length < position.SegmentBytes) return await TellMissingAsync(log, position, cancellationToken).ConfigureAwait(false);

        AuditPosition known = filled && length == position.SegmentBytes ? position with { Segment = next, SegmentBytes = 0 } : position;
        AuditPosition end = await FollowAsync(log, known, cancellationToken).ConfigureAwait(false);
        if (end.Entries == position.Entries) return end; // half a line of a crash, which is gone now
        AuditEvent told = new()
        {
            Action = AuditAction.AuditNotApplied,
            Actor = "host",
            Subject = end.Entries == next ? $"{next}" : $"{next}-{end.Entries}",
        };
        return await AppendAsync(log, end, told, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The end of the segment that <paramref name="position"/> is in: what follows it as a chain; half a line at the end is cut off.</summary>
    private async Task<AuditPosition> FollowAsync(AuditLogId log, AuditPosition position, CancellationToken cancellationToken)
    {
        string name = AuditReader.SegmentName(log, position.Segment);
        StoredObject stored = await store.GetAsync(name, cancellationToken).ConfigureAwait(false) ?? throw new StoreException(StoreError.NotFound, "the audit log's segment is gone");
        AuditPosition end = position;
        while (end.SegmentBytes < stored.Bytes.Length)
        {
            ReadOnlyMemory<byte> rest = stored.Bytes[checked((int)end.SegmentBytes)..];
            int length = rest.Span.IndexOf((byte)'\n');
            bool continues = length >= 0 && AuditLine.TryRead(rest[..length], out AuditEntry? entry) && entry.Number == end.Entries + 1
                && entry.Previous == end.Hash && AuditLine.IsSigned(rest.Span[..length], PublicKey);
            if (!continues)
            {
                ReadOnlyMemory<byte> whole = stored.Bytes[..(int)end.SegmentBytes];
                await store.PutAsync(name, whole, PutCondition.IfMatch(stored.ETag), cancellationToken).ConfigureAwait(false);
                break;
            }
            end = end with { Entries = end.Entries + 1, Hash = AuditLine.Hash(rest.Span[..length]), SegmentBytes = end.SegmentBytes + length + 1 };
        }
        return end;
    }

    /// <summary>Goes on in a segment of its own, after the entries that the state knows of and the log has lost.</summary>
    private async Task<AuditPosition> TellMissingAsync(AuditLogId log, AuditPosition position, CancellationToken cancellationToken)
    {
        AuditPosition after = position with { Segment = position.Entries + 1, SegmentBytes = 0 };
        // A segment of this name can only be one that does not belong here.
        await store.DeleteAsync(AuditReader.SegmentName(log, after.Segment), PutCondition.Always, cancellationToken).ConfigureAwait(false);
        AuditEvent told = new() { Action = AuditAction.AuditEntriesMissing, Actor = "host", Subject = $"up to {position.Entries}" };
        return await AppendAsync(log, after, told, cancellationToken).ConfigureAwait(false);
    }
}
