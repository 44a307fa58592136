using TinyLlm.Storage;

namespace TinyLlm.Grains.Audit;

/// <summary>A state whose changes are told in an audit log, and that remembers where that log ends.</summary>
internal interface IAuditedState
{
    /// <summary>Null before the first entry.</summary>
    AuditPosition? Audit { get; set; }
}
