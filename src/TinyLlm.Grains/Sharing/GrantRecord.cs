using TinyLlm.Grains.Access;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Sharing;

/// <summary>One grant on a model, as the owner's grain stores it. Property names are the stored format.</summary>
internal sealed class GrantRecord
{
    /// <summary>The key of a grant to everyone on this host; no user id looks like it.</summary>
    public const string Everyone = "*";

    /// <summary>The grantee's internal id, so that another user who takes the name over gets nothing; null: everyone on this host.</summary>
    public required UserId? Grantee { get; set; }

    /// <summary>The grantee's name when the grant was made, for its owner's eyes.</summary>
    public required string GranteeName { get; set; }

    public required ModelRight Rights { get; set; }

    public DateTimeOffset? ExpiresAt { get; set; }

    /// <summary>Tokens of prompts and completions that may be used in all, or null for no bound.</summary>
    public long? TokenBudget { get; set; }

    public required DateTimeOffset CreatedAt { get; set; }

    /// <summary>Names this grant among all that the owner ever made: a replaced one begins its budget anew.</summary>
    public required long Serial { get; set; }

    /// <summary>Under which the owner keeps a grant to <paramref name="grantee"/>.</summary>
    public static string Key(UserId? grantee) => grantee?.Value ?? Everyone;
}

/// <summary>A change of a grant that an index has not been told yet.</summary>
internal sealed class PendingShare
{
    /// <summary>Which index: the grantee's id, or <see cref="GrantRecord.Everyone"/>.</summary>
    public required string Index { get; set; }

    /// <summary>The model's folded name.</summary>
    public required string Model { get; set; }

    /// <summary>Whether the model is shared from now on, or no longer.</summary>
    public required bool IsShared { get; set; }

    public required long Serial { get; set; }
}
