namespace TinyLlm.Grains.Users;

/// <summary>
/// Bounds of one user that the operator set; what is null is the host's default (<see cref="UserLimits"/>). Also the bounds as they hold, and
/// then nothing is null. Property names are the stored format.
/// </summary>
[GenerateSerializer, Immutable, Alias("tinyllm.UserQuota")]
public sealed record UserQuota
{
    /// <summary>Requests per minute.</summary>
    [Id(0)] public long? RequestsPerMinute { get; init; }

    /// <summary>Tokens of prompts and completions per minute.</summary>
    [Id(1)] public long? TokensPerMinute { get; init; }

    /// <summary>Answers that are made at once.</summary>
    [Id(2)] public int? ConcurrentStreams { get; init; }

    /// <summary>Bytes of all versions and open uploads.</summary>
    [Id(3)] public long? StoredBytes { get; init; }

    /// <summary>Models.</summary>
    [Id(4)] public int? Models { get; init; }

    /// <summary>Bytes of weights in one silo's memory, all models together.</summary>
    [Id(5)] public long? ResidentBytes { get; init; }

    /// <summary>Training steps per day (UTC).</summary>
    [Id(6)] public long? TrainingStepsPerDay { get; init; }

    /// <summary>Bytes of models that are pinned on one silo.</summary>
    [Id(7)] public long? PinnedBytes { get; init; }

    /// <summary>The bounds as they hold.</summary>
    internal UserQuota Over(UserLimits defaults) => new()
    {
        RequestsPerMinute = RequestsPerMinute ?? defaults.RequestsPerMinute,
        TokensPerMinute = TokensPerMinute ?? defaults.TokensPerMinute,
        ConcurrentStreams = ConcurrentStreams ?? defaults.ConcurrentStreams,
        StoredBytes = StoredBytes ?? defaults.MaxStoredBytes,
        Models = Models ?? defaults.MaxModels,
        ResidentBytes = ResidentBytes ?? defaults.ResidentBytes,
        PinnedBytes = PinnedBytes ?? defaults.PinnedBytes,
        TrainingStepsPerDay = TrainingStepsPerDay ?? defaults.TrainingStepsPerDay,
    };
}
