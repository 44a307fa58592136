using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Models;
using TinyLlm.Grains.Users;
using TinyLlm.Storage;

namespace TinyLlm.Host.Models;

/// <summary>
/// Writes and publishes uploads: decisions come from the owner's grain as leases, bytes go straight from the request to the store.
/// </summary>
internal sealed partial class UploadService(ModelFiles files, ILocalSiloDetails local, TimeProvider time, ILogger<UploadService> logger) : IDisposable
{
    /// <summary>What another request holds is waited for this long: it is most often the same client's, which broke off with its process.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan s_askAgainAfter = TimeSpan.FromMilliseconds(200);

    /// <summary>Validation reads every byte; a few at a time keep the disk and the cores for the requests that generate.</summary>
    private readonly SemaphoreSlim _commits = new(Math.Max(1, Environment.ProcessorCount / 2));

    /// <summary>One file to write.</summary>
    /// <param name="Owner">Whose upload.</param>
    /// <param name="User">The owner's grain.</param>
    /// <param name="Model">The model's name.</param>
    /// <param name="UploadId">The upload.</param>
    public sealed record Upload(UserId Owner, IUserGrain User, string Model, string UploadId);

    /// <summary>
    /// Streams a body into a file of an open upload, from <paramref name="offset"/> on; without one, the file is sent anew.
    /// </summary>
    /// <returns>The file's durable length.</returns>
    public async Task<long> WriteAsync(
        Upload upload, ModelFileName file, Stream body, long? offset, ContentDigest? digest, CancellationToken cancellationToken)
    {
        WriteLease lease = await WhenFreeAsync(() => upload.User.BeginWrite(upload.Model, upload.UploadId, file.Value, local.SiloAddress), cancellationToken);
        using CancellationTokenSource writing = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task renewing = RenewAsync(upload, lease, writing);
        bool hadRightToTheEnd;
        long length;
        try
        {
            if (offset is null) await files.DiscardAsync(upload.Owner, lease.Version, file, RequireRightAsync, writing.Token);
            length = await files.AppendAsync(
                upload.Owner, lease.Version, file, offset ?? 0, body, lease.MaxBytes, digest, lease.Key, RequireRightAsync, writing.Token);
        }
        catch (StoreException exception) when (ToRefusal(exception, file, offset, lease) is { } refusal)
        {
            throw refusal;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw RightLost(file);
        }
        finally
        {
            await writing.CancelAsync();
            await renewing;
            hadRightToTheEnd = await TryEndAsync(upload, lease, file);
        }
        // Without the right, what was written may be another's to replace by now: it is not acknowledged.
        return hadRightToTheEnd ? length : throw RightLost(file);

        Task RequireRightAsync() => upload.User.RenewWrite(upload.UploadId, lease.LeaseId);
    }

    /// <summary>The durable length of a file; 0 when nothing was written yet.</summary>
    public async Task<long> LengthAsync(UserId owner, VersionId version, ModelFileName file, CancellationToken cancellationToken) =>
        await files.LengthAsync(owner, version, file, cancellationToken) ?? 0;

    /// <summary>
    /// Validates every file and publishes the version; all or nothing. A repeat after success answers the same; an upload that is invalid
    /// ends, and nothing of it stays.
    /// </summary>
    public async Task<PublishedVersion> CommitAsync(Upload upload, CancellationToken cancellationToken)
    {
        await _commits.WaitAsync(cancellationToken);
        try
        {
            CommitTicket ticket = await WhenFreeAsync(() => upload.User.BeginCommit(upload.Model, upload.UploadId, local.SiloAddress), cancellationToken);
            // From here on a client that goes away changes nothing: its repeat finds the version.
            return ticket.Published ?? await PublishAsync(upload, ticket);
        }
        finally
        {
            _commits.Release();
        }
    }

    public void Dispose() => _commits.Dispose();

    /// <summary>Begins as soon as the request that is in the way has ended, or the process that it ran in is known to be gone; or else refuses as it was refused.</summary>
    private async Task<T> WhenFreeAsync<T>(Func<Task<T>> begin, CancellationToken cancellationToken)
    {
        for (long since = time.GetTimestamp(); ; await Task.Delay(s_askAgainAfter, time, cancellationToken))
        {
            try
            {
                return await begin();
            }
            catch (RequestException refusal) when (refusal is { Error: RequestError.Conflict, RetryAfter: not null } && time.GetElapsedTime(since) < s_patience)
            {
            }
        }
    }

    private async Task<PublishedVersion> PublishAsync(Upload upload, CommitTicket ticket)
    {
        try
        {
            (VersionId version, VersionKey? key) = (ticket.Version, ticket.Key);
            // A commit that was cut off after it sealed the files left the manifest: they can't have changed since.
            ModelManifest manifest = await files.ReadManifestAsync(upload.Owner, version, CancellationToken.None)
                ?? await files.SealAsync(upload.Owner, version, key, CancellationToken.None);
            string[] names = [.. manifest.Files.Select(file => file.Name.Value)];
            VersionFiles sealedFiles = new(files, upload.Owner, version, key);
            SignatureFacts? signature = await UploadedSignature.VerifyAsync(sealedFiles, manifest, ticket.TrustedKeys, CancellationToken.None);
            ModelFacts facts = await ModelValidator.ValidateAsync(sealedFiles, names, manifest.TotalBytes, CancellationToken.None);
            return await upload.User.CompleteCommit(upload.UploadId, manifest.Digest.Hex, facts with { Signature = signature });
        }
        catch (StoreException exception) when (exception.Error == StoreError.NotFound)
        {
            await upload.User.AbandonUpload(upload.Model, upload.UploadId);
            throw new RequestException(RequestError.ModelInvalid, "The upload has no file: send the model's files first.") { Detail = "file_missing" };
        }
        catch (StoreException exception) when (exception.Error == StoreError.OffsetMismatch)
        {
            await upload.User.AbandonUpload(upload.Model, upload.UploadId);
            throw new RequestException(RequestError.ModelInvalid, "A file of the upload broke off and was not sent to its end: begin a new upload.") { Detail = "file_incomplete" };
        }
        catch (RequestException exception) when (exception.Error == RequestError.ModelInvalid)
        {
            await upload.User.AbandonUpload(upload.Model, upload.UploadId);
            throw;
        }
        catch (StoreException exception) when (exception.Error == StoreError.Sealed)
        {
            // Another process is at it, or was first; the repeat finds what it published.
            throw new RequestException(RequestError.Conflict, "This upload is being committed by another request.") { RetryAfter = TimeSpan.FromSeconds(1) };
        }
        catch
        {
            // A fault of ours, or a quota: the upload is as it was, and the commit can be repeated.
            await upload.User.ReopenUpload(upload.UploadId);
            throw;
        }
    }

    /// <summary>Keeps the lease alive while the body arrives; when it is lost, the writing stops before the next block.</summary>
    private async Task RenewAsync(Upload upload, WriteLease lease, CancellationTokenSource writing)
    {
        try
        {
            using PeriodicTimer timer = new(lease.Lifetime / 4, time);
            while (await timer.WaitForNextTickAsync(writing.Token)) await upload.User.RenewWrite(upload.UploadId, lease.LeaseId);
        }
        catch (OperationCanceledException)
        {
            // The writing ended.
        }
        catch (Exception exception)
        {
            LogLeaseLost(logger, lease.Version, exception);
            await writing.CancelAsync();
        }
    }

    /// <summary>Tells the owner what is there now; false when the lease was lost meanwhile.</summary>
    private async Task<bool> TryEndAsync(Upload upload, WriteLease lease, ModelFileName file)
    {
        try
        {
            await upload.User.EndWrite(upload.UploadId, lease.LeaseId, await LengthAsync(upload.Owner, lease.Version, file, CancellationToken.None));
            return true;
        }
        catch (RequestException exception) when (exception.Error == RequestError.Conflict)
        {
            LogLeaseLost(logger, lease.Version, exception);
            return false;
        }
        catch (RequestException exception) when (exception.Error == RequestError.NotFound)
        {
            // The owner was forgotten while the body arrived: a block may have come after all was deleted, and no record leads to it.
            LogLeaseLost(logger, lease.Version, exception);
            await files.DeleteAsync(upload.Owner, lease.Version, CancellationToken.None);
            throw; // nothing was written that is still there
        }
    }

    private static RequestException RightLost(ModelFileName file) =>
        new(RequestError.Conflict, "The right to write this file was lost: ask for its offset and go on from there.") { FileName = file.Value };

    private static RequestException? ToRefusal(StoreException exception, ModelFileName file, long? offset, WriteLease lease) => exception.Error switch
    {
        StoreError.TooLarge => new(RequestError.TooLarge, $"The file may have at most {lease.MaxBytes} bytes, and there are more.") { FileName = file.Value },
        StoreError.OffsetMismatch => new(
            RequestError.Conflict,
            offset is null
                ? "Another request wrote this file at the same time: send it again from its beginning."
                : $"Upload-Offset: the file ends at {exception.DurableLength}: go on from there.")
        {
            FileName = file.Value,
            Detail = "offset_mismatch",
        },
        StoreError.DigestMismatch => new(RequestError.Malformed, "Content-Digest: the bytes that arrived have another SHA-256: send them again.")
        {
            FileName = file.Value,
            Detail = "digest_mismatch",
        },
        StoreError.Sealed => new(RequestError.Conflict, "This upload was closed by its commit: begin a new one.") { FileName = file.Value },
        _ => null,
    };

    [LoggerMessage(Level = LogLevel.Information, Message = "The right to write to version {Version} was lost")]
    private static partial void LogLeaseLost(ILogger logger, VersionId version, Exception exception);
}
