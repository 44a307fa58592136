using System.Text.Json.Serialization;

namespace TinyLlm.Grains.Users;

/// <summary>
/// What a user grain counts: kept apart from the decisions, in an object of its own that is written every few seconds at most and when the
/// activation ends. A crash loses what was counted since the last write. Property names are the stored format.
/// </summary>
internal sealed class UserMeter
{
    /// <summary>Requests; null until the first.</summary>
    public Bucket? Requests { get; set; }

    /// <summary>Tokens; null until the first.</summary>
    public Bucket? Tokens { get; set; }

    /// <summary>What is counted by access token.</summary>
    public Dictionary<string, TokenMeter> ByToken { get; set; } = [];

    /// <summary>Tokens used under a grant with a budget, by <see cref="Sharing.GrantRecord.Serial"/>.</summary>
    public Dictionary<long, long> Spent { get; set; } = [];

    /// <summary>The day (UTC) that <see cref="TrainingSteps"/> counts.</summary>
    public DateOnly TrainingDay { get; set; }

    public long TrainingSteps { get; set; }

    /// <summary>How much changed since the last write, as a share of the bucket that changed most: a twentieth is worth a write.</summary>
    [JsonIgnore]
    public double UnsavedShare { get; set; }

    /// <summary>Something changed that does not refill.</summary>
    [JsonIgnore]
    public bool IsDue { get; set; }
}

/// <summary>What is counted of one access token.</summary>
internal sealed class TokenMeter
{
    /// <summary>Requests; null when the token has no bound of its own.</summary>
    public Bucket? Requests { get; set; }

    /// <summary>Tokens; null when the token has no bound of its own.</summary>
    public Bucket? Tokens { get; set; }

    /// <summary>When the token was last accepted, to the minute.</summary>
    public DateTimeOffset? LastUsedAt { get; set; }
}
