using System.Collections.Immutable;

namespace TinyLlm.Storage;

/// <summary>
/// Something worth remembering, before it is part of a log. Names, ids and counts only: never a token, a prompt or a completion.
/// </summary>
[GenerateSerializer, Immutable, Alias("tinyllm.AuditEvent")]
public sealed record AuditEvent
{
    /// <summary>Longest subject, actor or detail, in characters: names end at 63, and this bounds an entry's size.</summary>
    public const int MaxTextLength = 256;

    /// <summary>Most details of one event.</summary>
    public const int MaxDetails = 16;

    /// <summary>What happened.</summary>
    [Id(0)] public required AuditAction Action { get; init; }

    /// <summary>Who did it: "admin", "token:ID" of the user's own token, "provider" for an identity from outside, or "host" for the host itself.</summary>
    [Id(1)] public required string Actor { get; init; }

    /// <summary>What it was done to: a model's name, a token's id, a user's id.</summary>
    [Id(2)] public string? Subject { get; init; }

    /// <summary>Anything more.</summary>
    [Id(3)] public ImmutableDictionary<string, string> Details { get; init; } = ImmutableDictionary<string, string>.Empty;
}
