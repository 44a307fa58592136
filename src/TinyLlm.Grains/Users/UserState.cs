using TinyLlm.Grains.Access;
using TinyLlm.Grains.Audit;
using TinyLlm.Grains.Models;
using TinyLlm.Grains.Sharing;
using TinyLlm.Grains.Trust;
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

    /// <summary>When deletion destroyed the user's key; null before.</summary>
    public DateTimeOffset? KeyDestroyedAt { get; set; }

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

    /// <summary>Bounds that the operator set, or null for the host's defaults.</summary>
    public UserQuota? Quota { get; set; }

    /// <summary>Grants by folded model name, then by grantee (<see cref="GrantRecord.Key"/>). A model that is gone has none.</summary>
    public Dictionary<string, Dictionary<string, GrantRecord>> Grants { get; set; } = [];

    /// <summary>The last number given to a grant or a notice; never reused.</summary>
    public long ShareSerial { get; set; }

    /// <summary>Changes of grants that the index of shared models has not been told yet, oldest first.</summary>
    public List<PendingShare> ShareOutbox { get; set; } = [];

    /// <summary>Keys whose signatures of models the user trusts, by id.</summary>
    public Dictionary<string, TrustedKey> TrustedKeys { get; set; } = [];

    /// <summary>Whether a commit needs a signature by one of <see cref="TrustedKeys"/>.</summary>
    public bool RequireTrustedSignature { get; set; }

    /// <summary>
    /// A copy that later changes of this state don't reach, of all that decides about tokens, rates, grants and running streams. Uploads, trusted keys and
    /// outboxes are shared with this one.
    /// </summary>
    public UserState CopyOfRights()
    {
        UserState copy = (UserState)MemberwiseClone();
        copy.Tokens = Tokens.ToDictionary(pair => pair.Key, pair => pair.Value.Copy());
        copy.Models = Models.ToDictionary(pair => pair.Key, pair => pair.Value.Copy());
        copy.Grants = Grants.ToDictionary(pair => pair.Key, pair => new Dictionary<string, GrantRecord>(pair.Value)); // a grant is replaced and never changed
        return copy;
    }

    /// <summary>Every version that is published or may become so.</summary>
    public IEnumerable<VersionId> VersionIds() =>
        Models.Values.SelectMany(model => model.Versions).Select(version => version.Id).Concat(Uploads.Values.Select(upload => upload.Version));
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

    /// <summary>Bounds below the user's, or null for none.</summary>
    public TokenLimits? Limits { get; set; }

    /// <summary>Which secret <see cref="Hash"/> is of: rotation gives the next.</summary>
    public int Serial { get; set; }

    /// <summary>The secret before the last rotation, while <see cref="PreviousUntil"/> lasts.</summary>
    public TokenHash? PreviousHash { get; set; }

    public DateTimeOffset? PreviousUntil { get; set; }

    public StoredToken Copy() => (StoredToken)MemberwiseClone();

    /// <summary>Whether the secret of this number is accepted now.</summary>
    public bool Accepts(int serial, DateTimeOffset now) =>
        !(ExpiresAt <= now) && (serial == Serial || (serial == Serial - 1 && PreviousUntil > now));
}
