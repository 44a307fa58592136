namespace TinyLlm.Storage;

/// <summary>What a verification finds: the one closed set.</summary>
public enum AuditFault
{
    /// <summary>Nothing: every entry follows from the one before, and the last one is signed by the host.</summary>
    None,

    /// <summary>The key or the log is not the one that was expected.</summary>
    AnotherLog,

    /// <summary>A line is not an entry.</summary>
    NotAnEntry,

    /// <summary>An entry is not where its number says: entries were removed, added or moved.</summary>
    OutOfOrder,

    /// <summary>An entry before this one is not the one that was there when this one was written.</summary>
    ChainBroken,

    /// <summary>The last entry's signature is not the host's.</summary>
    NotSigned,

    /// <summary>The log ends before the head that the verifier holds: it was truncated or rolled back.</summary>
    Truncated,

    /// <summary>Where the head stood that the verifier holds, another entry stands now: the log was rolled back and went on differently.</summary>
    Forked,
}
