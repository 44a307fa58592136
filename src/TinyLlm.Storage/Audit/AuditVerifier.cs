namespace TinyLlm.Storage;

/// <summary>
/// Verifies a log from its first entry, line by line. Edits, deletions and new orders show by themselves. That the end is missing shows only to
/// one who holds a head of an earlier time: the log must still contain it.
/// </summary>
public sealed class AuditVerifier(AuditLogId log, AuditPublicKey key, AuditHead? held)
{
    private AuditHead head = AuditHead.Empty;
    private ReadOnlyMemory<byte> last;
    private AuditVerdict? fault;

    /// <summary>Takes the next line. False when there is a fault, and then no line more is needed.</summary>
    public bool Add(ReadOnlyMemory<byte> line)
    {
        if (fault is not null) return false;
        AuditFault found =
            !AuditLine.TryRead(line, out AuditEntry? entry) ? AuditFault.NotAnEntry
            : entry.Log != log.Name ? AuditFault.AnotherLog
            : entry.Number != head.Entries + 1 ? AuditFault.OutOfOrder
            : entry.Previous != head.Hash ? AuditFault.ChainBroken
            : AuditFault.None;
        if (found != AuditFault.None) return Fail(found, head.Entries + 1);
        head = entry!.Head; // read, else there was a fault
        last = line;
        bool forked = held is not null && held.Entries == head.Entries && held.Hash != head.Hash;
        return !forked || Fail(AuditFault.Forked, head.Entries);
    }

    /// <summary>After the last line.</summary>
    public AuditVerdict Finish()
    {
        if (fault is null && head.Entries > 0 && !AuditLine.IsSigned(last.Span, key)) Fail(AuditFault.NotSigned, head.Entries);
        if (fault is null && held is not null && held.Entries > head.Entries) Fail(AuditFault.Truncated, head.Entries + 1);
        return fault ?? new AuditVerdict(AuditFault.None, head.Entries, head);
    }

    private bool Fail(AuditFault found, long line)
    {
        fault = new AuditVerdict(found, line, head);
        return false;
    }
}
