using TinyLlm.Storage;

namespace TinyLlm.Grains.Models;

/// <summary>Where an upload stands.</summary>
internal enum UploadPhase
{
    /// <summary>Files may be written.</summary>
    Open = 0,

    /// <summary>Files are being validated; none may be written.</summary>
    Committing = 1,

    /// <summary>The version is published; the record stays a while so that a repeated commit answers as the first did.</summary>
    Committed = 2,
}

/// <summary>One upload of a new version, as the user grain stores it.</summary>
internal sealed class UploadRecord
{
    /// <summary>The model's name as the request spelled it.</summary>
    public required string Model { get; set; }

    /// <summary>The version that the upload will become; its files lie under this id from the first byte.</summary>
    public required VersionId Version { get; set; }

    public required UploadPhase Phase { get; set; }

    /// <summary>When an open or committing upload is given up, or a committed one is forgotten.</summary>
    public required DateTimeOffset ExpiresAt { get; set; }

    /// <summary>While committing: until when nobody else may begin to commit.</summary>
    public DateTimeOffset? CommitUntil { get; set; }

    /// <summary>Who commits it; once it was opened again, who did. Null before the first commit, and in what was stored before commits had names.</summary>
    public CommitterRecord? Committer { get; set; }

    /// <summary>The client's key that makes a repeated begin answer with this upload.</summary>
    public string? IdempotencyKey { get; set; }

    /// <summary>Written bytes by file name.</summary>
    public Dictionary<string, long> Files { get; set; } = [];

    /// <summary>Who has the right to write which file at the moment, by file name.</summary>
    public Dictionary<string, WriterRecord> Writers { get; set; } = [];

    /// <summary>By file name, the write lease that was given back last: a repeat of that, also in another activation, is no lease that was lost.</summary>
    public Dictionary<string, string> EndedLeases { get; set; } = [];

    /// <summary>The data key, wrapped by the user's; null when the files are not encrypted, or the upload is a version already.</summary>
    public WrappedKey? Key { get; set; }

    /// <summary>Once committed: the version's number.</summary>
    public int? Number { get; set; }

    /// <summary>Once committed: the manifest's digest.</summary>
    public string? ManifestDigest { get; set; }
}
