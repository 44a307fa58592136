using TinyLlm.Grains.Access;
using TinyLlm.Grains.Audit;
using TinyLlm.Grains.Models;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Users;

/// <summary>
/// What a user grain keeps: decisions only. Anything that grows per request lives elsewhere. Property names are the stored format.
/// </summary>
internal sealed class UserState : IAuditedState
{
    public string Name { get; set; } = "";

    public DateTimeOffset CreatedAt { get; set; }

    /// <summary>Set when deletion began: from then on the user's tokens are refused, and a repeat of the deletion finishes it.</summary>
    public bool Deleting { get; set; }

    /// <summary>Access tokens by token id.</summary>
    public Dictionary<string, StoredToken> Tokens { get; set; } = [];

    /// <summary>Models by folded name.</summary>
    public Dictionary<string, ModelRecord> Models { get; set; } = [];

    /// <summary>Uploads that are open, or were committed recently, by upload id.</summary>
    public Dictionary<string, UploadRecord> Uploads { get; set; } = [];

    /// <summary>The last version number given under a folded name, kept when the model is deleted: a number is never reused.</summary>
    public Dictionary<string, int> LastVersions { get; set; } = [];

    /// <summary>A name that <see cref="LastVersions"/> does not know counts from here.</summary>
    public int VersionFloor { get; set; }

    /// <summary>Versions whose record is gone but whose bytes may still be in the store: removed again on activation.</summary>
    public HashSet<VersionId> Doomed { get; set; } = [];

    /// <summary>Where the user's audit log ended when this was written.</summary>
    public AuditPosition? Audit { get; set; }
}

/// <summary>A token at rest: its keyed hash, never its text.</summary>
internal sealed class StoredToken
{
    public required string Name { get; set; }

    public required TokenHash Hash { get; set; }

    public required TokenScopes Scopes { get; set; }

    public string[]? Models { get; set; }

    public DateTimeOffset? ExpiresAt { get; set; }

    public required DateTimeOffset CreatedAt { get; set; }
}
