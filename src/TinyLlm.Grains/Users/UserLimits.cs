using System.ComponentModel.DataAnnotations;

namespace TinyLlm.Grains.Users;

/// <summary>Bounds of what one user may keep. They guard the host, not a price list: an operator lowers them.</summary>
public sealed class UserLimits
{
    /// <summary>Bytes of one uploaded file. Default 16 GiB: a 4 B-parameter model in f32 in one shard.</summary>
    [Range(1024, 1L << 42)]
    public long MaxFileBytes { get; set; } = 16L << 30;

    /// <summary>Bytes of all versions and open uploads of a user. Default 64 GiB.</summary>
    [Range(1024, 1L << 46)]
    public long MaxStoredBytes { get; set; } = 64L << 30;

    /// <summary>Models of a user. Default 1,000: the user's state stays under a megabyte.</summary>
    [Range(1, 10_000)]
    public int MaxModels { get; set; } = 1_000;

    /// <summary>Versions of one model. Default 100.</summary>
    [Range(1, 1_000)]
    public int MaxVersions { get; set; } = 100;

    /// <summary>Versions that a publication leaves of its model, where the model has no number of its own; older ones are deleted. Default: all.</summary>
    [Range(1, 1_000)]
    public int? KeptVersions { get; set; }

    /// <summary>Uploads open at once. Default 16.</summary>
    [Range(1, 1_000)]
    public int MaxOpenUploads { get; set; } = 16;

    /// <summary>Files of one upload. Default 128: the largest public checkpoints have fewer shards.</summary>
    [Range(1, 1_000)]
    public int MaxFilesPerUpload { get; set; } = 128;

    /// <summary>Files that are being sent at once, all uploads together. Default 16: a file on its way may hold two blocks of 8 MiB, however slowly it comes, and one client sends a few at once.</summary>
    [Range(1, 1_000)]
    public int ConcurrentWrites { get; set; } = 16;

    /// <summary>Access tokens of a user. Default 100.</summary>
    [Range(1, 1_000)]
    public int MaxTokens { get; set; } = 100;

    /// <summary>Public keys whose signatures a user trusts. Default 32: a signature that names no key is tried with each.</summary>
    [Range(1, 1_000)]
    public int MaxTrustedKeys { get; set; } = 32;

    /// <summary>Grants on one model. Default 1,000.</summary>
    [Range(1, 10_000)]
    public int MaxGrants { get; set; } = 1_000;

    /// <summary>Requests per minute, and at most at once. Default 6,000: an interactive application stays far below, a loop gone wild does not.</summary>
    [Range(1, 1_000_000_000)]
    public long RequestsPerMinute { get; set; } = 6_000;

    /// <summary>Tokens of prompts and completions per minute, and at most at once. Default 6,000,000: more than one device makes.</summary>
    [Range(1, 1_000_000_000_000)]
    public long TokensPerMinute { get; set; } = 6_000_000;

    /// <summary>Answers that are made at once. Default 256: a device runs fewer in one batch.</summary>
    [Range(1, 100_000)]
    public int ConcurrentStreams { get; set; } = 256;

    /// <summary>Bytes of a user's weights in one silo's memory, all models together. Default 16 GiB: that a few users share an 80 GB device.</summary>
    [Range(1, 1L << 42)]
    public long ResidentBytes { get; set; } = 16L << 30;

    /// <summary>Bytes of models that a user may pin on one silo. Default none: memory that is pinned is everybody else's loss, so the operator gives it.</summary>
    [Range(0, 1L << 42)]
    public long PinnedBytes { get; set; }

    /// <summary>Training steps per day (UTC). Default 1,000,000.</summary>
    [Range(0, 1_000_000_000_000)]
    public long TrainingStepsPerDay { get; set; } = 1_000_000;

    /// <summary>How long an upload may stay open. Default one day.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "30.00:00:00")]
    public TimeSpan UploadLifetime { get; set; } = TimeSpan.FromDays(1);
}
