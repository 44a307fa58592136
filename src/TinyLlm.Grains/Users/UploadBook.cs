using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Models;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Users;

/// <summary>
/// The rules of a user's uploads, over the user's state: open, write under a lease, commit once. A lease is kept with the upload, so that its holder
/// goes on when the activation moves or dies; when it was renewed last is known in memory alone, and a new activation gives it a whole lifetime.
/// Knows no storage and no call.
/// </summary>
internal sealed class UploadBook(UserLimits limits, TimeProvider time)
{
    /// <summary>Long enough for a slow block of 8 MiB, short enough that a dead API process does not hold up a commit for long.</summary>
    public static readonly TimeSpan WriteLeaseLifetime = TimeSpan.FromSeconds(60);

    /// <summary>Validation reads every byte once; after this time the process that did it is taken for dead.</summary>
    private static readonly TimeSpan CommitLifetime = TimeSpan.FromMinutes(10);

    /// <summary>What a lease's holder told last, by lease id.</summary>
    private readonly Dictionary<string, Renewal> _renewals = [];

    private readonly DateTimeOffset _since = time.GetUtcNow();

    /// <summary>Versions that were given up while somebody wrote, and until when that one may not have noticed.</summary>
    private readonly Dictionary<VersionId, DateTimeOffset> _unsettled = [];

    private sealed record Renewal(DateTimeOffset ExpiresAt, long WrittenBytes);

    /// <summary>Opens an upload, or answers the one that the idempotency key opened before. True when the state changed.</summary>
    public bool Begin(UserState state, EntityName model, string? idempotencyKey, out UploadTicket ticket)
    {
        RefuseOtherSpelling(state, model);
        if (idempotencyKey is not null && state.Uploads.FirstOrDefault(pair => pair.Value.IdempotencyKey == idempotencyKey) is { Value: { } known } pair)
        {
            if (known.Model != model.Value)
            {
                throw new RequestException(
                    RequestError.IdempotencyKeyReused, "Idempotency-Key: it was used for an upload of another model: send a fresh key.");
            }
            ticket = Ticket(pair.Key, known);
            return false;
        }

        int open = state.Uploads.Values.Count(upload => upload.Phase != UploadPhase.Committed);
        if (open >= limits.MaxOpenUploads)
        {
            throw new RequestException(
                RequestError.QuotaExceeded, $"uploads: {open} are open, and {limits.MaxOpenUploads} is the bound: commit or delete one first.");
        }
        RefuseModelBeyondQuota(state, model, limits);

        string id = RandomId.New("up_");
        UploadRecord record = new()
        {
            Model = model.Value,
            Version = VersionId.New(),
            Phase = UploadPhase.Open,
            ExpiresAt = time.GetUtcNow() + limits.UploadLifetime,
            IdempotencyKey = idempotencyKey,
        };
        state.Uploads[id] = record;
        ticket = Ticket(id, record);
        return true;
    }

    public UploadTicket Get(UserState state, string model, string uploadId) => Ticket(uploadId, Find(state, model, uploadId));

    /// <summary>Grants the right to write one file, unless somebody else holds it or the upload is past writing. The same claim again gets the same lease.</summary>
    public WriteLease BeginWrite(UserState state, string model, string uploadId, string fileName, WriteClaim claim)
    {
        UploadRecord upload = FindOpen(state, model, uploadId);
        if (!ModelFileName.TryParse(fileName, out _))
        {
            throw new RequestException(RequestError.Malformed, "file: not the name of a model's file.") { Parameter = "file" };
        }
        DropExpiredWriters(state);
        if (upload.Writers.GetValueOrDefault(fileName) is { } holder && holder.LeaseId != claim.LeaseId)
        {
            throw new RequestException(
                RequestError.Conflict, "This file of the upload is being written by another request: wait for it to end.")
            {
                FileName = fileName,
                RetryAfter = TimeSpan.FromSeconds(1),
            };
        }
        int files = upload.Files.Keys.Union(upload.Writers.Keys).Count(name => name != fileName);
        if (files >= limits.MaxFilesPerUpload)
        {
            throw new RequestException(
                RequestError.QuotaExceeded, $"files: the upload has {files}, and {limits.MaxFilesPerUpload} is the bound.");
        }
        RefuseWriterBeyondBound(state, claim);

        long others = UsedBytes(state) - upload.Files.GetValueOrDefault(fileName);
        long bound = StoredBytesBound(state, limits);
        long left = bound - others;
        if (left <= 0)
        {
            throw new RequestException(
                RequestError.QuotaExceeded, $"stored bytes: {others} are in use, and {bound} is the bound: delete a model first.");
        }

        upload.Writers[fileName] = new WriterRecord { LeaseId = claim.LeaseId, Silo = claim.Silo };
        _renewals[claim.LeaseId] = new Renewal(time.GetUtcNow() + WriteLeaseLifetime, upload.Files.GetValueOrDefault(fileName));
        return new WriteLease
        {
            LeaseId = claim.LeaseId,
            Version = upload.Version,
            MaxBytes = Math.Min(limits.MaxFileBytes, left),
            Lifetime = WriteLeaseLifetime,
        };
    }

    /// <summary>The file that a write lease is for.</summary>
    public (VersionId Version, string FileName) FindFile(UserState state, string uploadId, string leaseId)
    {
        string fileName = FindWrittenFile(state, uploadId, leaseId);
        return (state.Uploads[uploadId].Version, fileName);
    }

    /// <summary>
    /// Keeps a lease alive, unless all writers together have gone beyond the quota: each was granted what was left when it began, so what they
    /// wrote since is counted here.
    /// </summary>
    public void RenewWrite(UserState state, string uploadId, string leaseId, long writtenBytes)
    {
        FindWrittenFile(state, uploadId, leaseId);
        _renewals[leaseId] = new Renewal(time.GetUtcNow() + WriteLeaseLifetime, writtenBytes);
        long used = UsedBytes(state), bound = StoredBytesBound(state, limits);
        if (used <= bound) return;
        throw new RequestException(
            RequestError.QuotaExceeded, $"stored bytes: {used} are in use, and {bound} is the bound: delete a model first.");
    }

    /// <summary>Takes a lease back, once; false when this one was taken back before. What it wrote counts as written, until the next one with the right ends.</summary>
    public bool EndWrite(UserState state, string uploadId, string leaseId, long length)
    {
        if (state.Uploads.TryGetValue(uploadId, out UploadRecord? known) && known.EndedLeases.ContainsValue(leaseId)) return false;
        string fileName = FindWrittenFile(state, uploadId, leaseId);
        UploadRecord upload = state.Uploads[uploadId];
        upload.Writers.Remove(fileName);
        upload.Files[fileName] = length;
        upload.EndedLeases[fileName] = leaseId;
        return true;
    }

    /// <summary>Closes the upload for writing. An upload that was published before answers with what it became.</summary>
    public CommitTicket BeginCommit(UserState state, string model, string uploadId, CommitClaim claim)
    {
        UploadRecord upload = Find(state, model, uploadId);
        if (upload.Phase == UploadPhase.Committed) return new CommitTicket { Version = upload.Version, Files = [.. upload.Files.Keys] };

        DropExpiredWriters(state);
        DateTimeOffset now = time.GetUtcNow();
        bool isRepeat = upload.Committer?.CommitId == claim.CommitId;
        if (isRepeat && upload.Phase == UploadPhase.Open)
        {
            // It was on its way for longer than its commit: nobody is left who would end it again.
            throw new RequestException(RequestError.Conflict, "This commit has ended, and the upload is open again: commit it anew.");
        }
        bool committing = !isRepeat && upload.Phase == UploadPhase.Committing && upload.CommitUntil > now;
        if (committing || upload.Writers.Count > 0)
        {
            throw new RequestException(
                RequestError.Conflict, committing ? "This upload is being committed by another request." : "A file of this upload is still being written.")
            {
                RetryAfter = TimeSpan.FromSeconds(1),
            };
        }

        upload.Phase = UploadPhase.Committing;
        upload.CommitUntil = now + CommitLifetime;
        upload.Committer = new CommitterRecord { CommitId = claim.CommitId, Silo = claim.Silo };
        return new CommitTicket { Version = upload.Version, Files = [.. upload.Files.Keys.Order(StringComparer.Ordinal)] };
    }

    /// <summary>
    /// Lets anyone commit what was being committed when this activation began: whoever did it may be dead, and if not, the two publish the same
    /// files, once.
    /// </summary>
    public static void DropCommits(UserState state)
    {
        foreach (UploadRecord upload in state.Uploads.Values) upload.CommitUntil = null;
    }

    /// <summary>Takes back what processes held that are gone: they neither write nor commit any more, and their clients try again elsewhere.</summary>
    public void Release(UserState state, Func<SiloAddress, bool> isGone)
    {
        foreach (UploadRecord upload in state.Uploads.Values)
        {
            RemoveWriters(upload, writer => writer.Silo is { } silo && isGone(silo));
            if (upload.Committer?.Silo is { } committer && isGone(committer)) upload.CommitUntil = null;
        }
    }

    /// <summary>The upload that <see cref="BeginCommit"/> closed, or null when it was published before.</summary>
    public static UploadRecord? FindCommitting(UserState state, string uploadId)
    {
        UploadRecord upload = state.Uploads.GetValueOrDefault(uploadId) ?? throw RequestException.NotFound("upload");
        return upload.Phase switch
        {
            UploadPhase.Committing => upload,
            UploadPhase.Committed => null,
            _ => throw new RequestException(RequestError.Conflict, "This upload is not being committed."),
        };
    }

    /// <summary>The upload, while the commit of this name is the one that closed it; else null: that commit ended, or another took over.</summary>
    public static UploadRecord? FindCommit(UserState state, string uploadId, string commitId)
    {
        UploadRecord? upload = state.Uploads.GetValueOrDefault(uploadId);
        return upload?.Phase == UploadPhase.Committing && upload.Committer?.CommitId == commitId ? upload : null;
    }

    /// <summary>Takes an upload out of the state that its commit found invalid; its bytes are doomed. Null when that commit is not under way any more.</summary>
    public UploadRecord? Reject(UserState state, string uploadId, string commitId)
    {
        UploadRecord? upload = FindCommit(state, uploadId, commitId);
        if (upload is not null) Doom(state, uploadId, upload);
        return upload;
    }

    /// <summary>Takes an unpublished upload out of the state; its bytes are doomed.</summary>
    public void Abandon(UserState state, string model, string uploadId)
    {
        UploadRecord upload = Find(state, model, uploadId);
        if (upload.Phase == UploadPhase.Committed) throw new RequestException(RequestError.Conflict, "This upload was committed: delete the version instead.");
        Doom(state, uploadId, upload);
    }

    /// <summary>Gives up what expired. True when the state changed.</summary>
    public bool Sweep(UserState state)
    {
        DateTimeOffset now = time.GetUtcNow();
        KeyValuePair<string, UploadRecord>[] expired = [.. state.Uploads.Where(pair => pair.Value.ExpiresAt <= now && !(pair.Value.CommitUntil > now))];
        foreach ((string id, UploadRecord upload) in expired)
        {
            if (upload.Phase == UploadPhase.Committed) state.Uploads.Remove(id);
            else Doom(state, id, upload);
        }
        return expired.Length > 0;
    }

    /// <summary>Bytes of all versions and of the uploads that are not versions yet.</summary>
    public static long StoredBytes(UserState state) =>
        state.Models.Values.SelectMany(model => model.Versions).Sum(version => version.Facts.StoredBytes)
        + state.Uploads.Values.Where(upload => upload.Phase != UploadPhase.Committed).Sum(upload => upload.Files.Values.Sum());

    /// <summary>A model of a new name needs a place.</summary>
    public static void RefuseModelBeyondQuota(UserState state, EntityName model, UserLimits limits)
    {
        int bound = state.Quota?.Models ?? limits.MaxModels;
        if (state.Models.ContainsKey(model.Folded) || state.Models.Count < bound) return;
        throw new RequestException(
            RequestError.QuotaExceeded, $"models: this user has {state.Models.Count}, and {bound} is the bound: delete one first.");
    }

    /// <summary>The most bytes that the user may keep.</summary>
    public static long StoredBytesBound(UserState state, UserLimits limits) => state.Quota?.StoredBytes ?? limits.MaxStoredBytes;

    /// <summary>Whether nobody can still be writing bytes of a version that was given up.</summary>
    public bool IsSettled(VersionId version) => !_unsettled.TryGetValue(version, out DateTimeOffset until) || until <= time.GetUtcNow();

    /// <summary>Names are unique when case is folded, and a name in another case is never taken for the one that is there.</summary>
    public static void RefuseOtherSpelling(UserState state, EntityName model)
    {
        if (state.Models.TryGetValue(model.Folded, out ModelRecord? record) && record.Name != model.Value)
        {
            throw new RequestException(RequestError.NameTaken, $"model: '{record.Name}' exists, and names are unique whatever their case.") { Parameter = "model" };
        }
    }

    private void Doom(UserState state, string uploadId, UploadRecord upload)
    {
        state.Uploads.Remove(uploadId);
        state.Doomed.Add(upload.Version);
        RemoveWriters(upload, HasExpired);
        if (upload.Writers.Count > 0) _unsettled[upload.Version] = time.GetUtcNow() + WriteLeaseLifetime;
        RemoveWriters(upload, static _ => true);
    }

    /// <summary>A body on its way holds memory of the process that takes it for as long as its client likes.</summary>
    private void RefuseWriterBeyondBound(UserState state, WriteClaim claim)
    {
        int writers = state.Uploads.Values.Sum(upload => upload.Writers.Values.Count(writer => writer.LeaseId != claim.LeaseId));
        if (writers < limits.ConcurrentWrites) return;
        throw new RequestException(
            RequestError.RateLimited, $"files: {writers} are being sent, and {limits.ConcurrentWrites} at once is the bound: wait for one to end.")
        {
            RetryAfter = TimeSpan.FromSeconds(1),
        };
    }

    /// <summary>Stored bytes, and what writers have added since they began.</summary>
    private long UsedBytes(UserState state)
    {
        DropExpiredWriters(state);
        return StoredBytes(state) + state.Uploads.Values.Sum(upload => upload.Writers.Sum(
            writer => Math.Max(0, LastOf(writer.Value).WrittenBytes - upload.Files.GetValueOrDefault(writer.Key))));
    }

    private UploadRecord Find(UserState state, string model, string uploadId)
    {
        UploadRecord? upload = state.Uploads.GetValueOrDefault(uploadId);
        bool alive = upload is not null && upload.Model == model && (upload.Phase == UploadPhase.Committed || upload.ExpiresAt > time.GetUtcNow());
        return alive ? upload! : throw RequestException.NotFound("upload");
    }

    private UploadRecord FindOpen(UserState state, string model, string uploadId)
    {
        UploadRecord upload = Find(state, model, uploadId);
        if (upload.Phase != UploadPhase.Open)
        {
            throw new RequestException(RequestError.Conflict, "This upload was closed by its commit: begin a new one.");
        }
        return upload;
    }

    private string FindWrittenFile(UserState state, string uploadId, string leaseId)
    {
        DropExpiredWriters(state);
        return state.Uploads.GetValueOrDefault(uploadId)?.Writers.FirstOrDefault(writer => writer.Value.LeaseId == leaseId).Key
            ?? throw new RequestException(RequestError.Conflict, "The right to write this file was lost: ask for its offset and go on from there.");
    }

    /// <summary>What is dropped here and not stored is granted to nobody else before that is: an activation that finds it again may let it go on.</summary>
    private void DropExpiredWriters(UserState state)
    {
        foreach (UploadRecord upload in state.Uploads.Values) RemoveWriters(upload, HasExpired);
    }

    private void RemoveWriters(UploadRecord upload, Func<WriterRecord, bool> isOver)
    {
        foreach ((string fileName, WriterRecord writer) in upload.Writers.Where(pair => isOver(pair.Value)).ToArray())
        {
            upload.Writers.Remove(fileName);
            _renewals.Remove(writer.LeaseId);
        }
    }

    private bool HasExpired(WriterRecord writer) => LastOf(writer).ExpiresAt <= time.GetUtcNow();

    private Renewal LastOf(WriterRecord writer) => _renewals.GetValueOrDefault(writer.LeaseId) ?? new Renewal(_since + WriteLeaseLifetime, 0);

    private static UploadTicket Ticket(string id, UploadRecord upload) => new()
    {
        UploadId = id,
        Version = upload.Version,
        ExpiresAt = upload.ExpiresAt,
        Files = [.. upload.Files.Keys.Order(StringComparer.Ordinal)],
    };
}
