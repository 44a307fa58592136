using System.Text.Json.Serialization;

namespace TinyLlm.Storage;

/// <summary>What an audit log tells. The set is closed; numbers and names are stored and travel between silos: never change one, add at the end.</summary>
[GenerateSerializer, Alias("tinyllm.AuditAction")]
[JsonConverter(typeof(JsonStringEnumConverter<AuditAction>))]
public enum AuditAction
{
    /// <summary>A user was made.</summary>
    [JsonStringEnumMemberName("user.created")]
    UserCreated = 0,

    /// <summary>The deletion of a user began: from here on none of the user's tokens is accepted.</summary>
    [JsonStringEnumMemberName("user.deleting")]
    UserDeleting = 1,

    /// <summary>Everything of a user is gone; the details name the receipt.</summary>
    [JsonStringEnumMemberName("user.forgotten")]
    UserForgotten = 2,

    /// <summary>An access token was made.</summary>
    [JsonStringEnumMemberName("token.created")]
    TokenCreated = 3,

    /// <summary>An access token was revoked.</summary>
    [JsonStringEnumMemberName("token.revoked")]
    TokenRevoked = 4,

    /// <summary>An access token was replaced by a fresh one.</summary>
    [JsonStringEnumMemberName("token.rotated")]
    TokenRotated = 5,

    /// <summary>An upload began.</summary>
    [JsonStringEnumMemberName("upload.begun")]
    UploadBegun = 6,

    /// <summary>An upload was given up, by its owner or because its files are invalid.</summary>
    [JsonStringEnumMemberName("upload.abandoned")]
    UploadAbandoned = 7,

    /// <summary>A version was published.</summary>
    [JsonStringEnumMemberName("version.committed")]
    VersionCommitted = 8,

    /// <summary>A version was deleted.</summary>
    [JsonStringEnumMemberName("version.deleted")]
    VersionDeleted = 9,

    /// <summary>A model was deleted with all its versions.</summary>
    [JsonStringEnumMemberName("model.deleted")]
    ModelDeleted = 10,

    /// <summary>Somebody was given rights to a model, or other ones than before.</summary>
    [JsonStringEnumMemberName("grant.given")]
    GrantGiven = 11,

    /// <summary>Somebody's rights to a model were taken back.</summary>
    [JsonStringEnumMemberName("grant.revoked")]
    GrantRevoked = 12,

    /// <summary>An operator changed a user's quota.</summary>
    [JsonStringEnumMemberName("quota.changed")]
    QuotaChanged = 13,

    /// <summary>Keys were made anew or wrapped anew.</summary>
    [JsonStringEnumMemberName("key.rotated")]
    KeyRotated = 14,

    /// <summary>Authentications that failed within an interval, counted.</summary>
    [JsonStringEnumMemberName("authentication.failed")]
    AuthenticationFailed = 15,

    /// <summary>Entries before this one tell what was meant to happen and did not: the state was never written.</summary>
    [JsonStringEnumMemberName("audit.not_applied")]
    AuditNotApplied = 16,

    /// <summary>The log ended before the entries that the state knows of: somebody removed or replaced them.</summary>
    [JsonStringEnumMemberName("audit.entries_missing")]
    AuditEntriesMissing = 17,

    /// <summary>The owner chose the version that a model's bare name means: a rollback, or its end.</summary>
    [JsonStringEnumMemberName("version.chosen")]
    VersionChosen = 18,

    /// <summary>The owner changed how many versions of a model a publication leaves.</summary>
    [JsonStringEnumMemberName("retention.changed")]
    RetentionChanged = 19,

    /// <summary>The user trusts one more key for signatures of uploaded models.</summary>
    [JsonStringEnumMemberName("trusted_key.added")]
    TrustedKeyAdded = 20,

    /// <summary>The user trusts a key no more.</summary>
    [JsonStringEnumMemberName("trusted_key.removed")]
    TrustedKeyRemoved = 21,

    /// <summary>The user changed what is asked of signatures of uploaded models.</summary>
    [JsonStringEnumMemberName("signature_policy.changed")]
    SignaturePolicyChanged = 22,

    /// <summary>The owner changed how long a model stays in memory.</summary>
    [JsonStringEnumMemberName("keep_alive.changed")]
    KeepAliveChanged = 23,
}
