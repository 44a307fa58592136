using System.Collections.Immutable;

namespace TinyLlm.Storage;

/// <summary>One entry of a log as it was read, with the bytes that its hash is of.</summary>
public sealed record AuditEntry
{
    /// <summary>1 for the first entry of a log.</summary>
    public required long Number { get; init; }

    /// <summary>When it was appended.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The log's name.</summary>
    public required string Log { get; init; }

    /// <summary>Wire name of an <see cref="AuditAction"/>; a newer host may write others.</summary>
    public required string Action { get; init; }

    /// <inheritdoc cref="AuditEvent.Actor"/>
    public required string Actor { get; init; }

    /// <inheritdoc cref="AuditEvent.Subject"/>
    public string? Subject { get; init; }

    /// <inheritdoc cref="AuditEvent.Details"/>
    public required ImmutableSortedDictionary<string, string> Details { get; init; }

    /// <summary>Hash of the entry before.</summary>
    public required string Previous { get; init; }

    /// <summary>The line without its line feed.</summary>
    public required ReadOnlyMemory<byte> Line { get; init; }

    /// <summary>The log's head after this entry.</summary>
    public AuditHead Head => new(Number, AuditLine.Hash(Line.Span));
}
