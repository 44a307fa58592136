using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Models;
using TinyLlm.Grains.Users;
using TinyLlm.Storage;

namespace TinyLlm.Host.Models;

/// <summary>
/// Writes and publishes uploads: decisions come from the owner's grain as leases, bytes go straight from the request to the store.
/// </summary>
internal sealed class UploadService(ModelFiles files, WriteRights rights, ILocalSiloDetails local, TimeProvider time) : IDisposable
{
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
        WriteLease lease = await rights.BeginAsync(upload, file, cancellationToken);
        using CancellationTokenSource writing = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task renewing = rights.RenewAsync(upload, lease, writing);
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
            hadRightToTheEnd = await rights.TryEndAsync(upload, lease, file);
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
    /// ends, and nothing of it stays. One whose files are not the <paramref name="expected"/> ones stays as it was.
    /// </summary>
    public async Task<PublishedVersion> CommitAsync(Upload upload, ExpectedFiles? expected, CancellationToken cancellationToken)
    {
        CommitClaim claim = CommitClaim.New(local.SiloAddress);
        await _commits.WaitAsync(cancellationToken);
        try
        {
            CommitTicket ticket = await Patience.WhenFreeAsync(() => upload.User.BeginCommit(upload.Model, upload.UploadId, claim), time, cancellationToken);
            // From here on a client that goes away changes nothing: its repeat finds the version.
            if (ticket.Published is null) return await PublishAsync(upload, claim, ticket, expected);
            // Who shares the upload may have published it with other files.
            if (expected is not null) await RequireClosedAsync(upload, ticket.Version, expected);
            return ticket.Published;
        }
        finally
        {
            _commits.Release();
        }
    }

    public void Dispose() => _commits.Dispose();

    private async Task<PublishedVersion> PublishAsync(Upload upload, CommitClaim claim, CommitTicket ticket, ExpectedFiles? expected)
    {
        try
        {
            (VersionId version, VersionKey? key) = (ticket.Version, ticket.Key);
            // A commit that was cut off after it sealed the files left the manifest: they can't have changed since.
            ModelManifest? cutOff = await files.ReadManifestAsync(upload.Owner, version, CancellationToken.None);
            if (cutOff is not null) expected?.RequireClosed(cutOff);
            if (cutOff is null && expected is not null) await RequireNamesAsync(upload, version, expected);
            ModelManifest manifest = cutOff ?? await files.SealAsync(upload.Owner, version, key, expected is null ? null : expected.Require, CancellationToken.None);
            string[] names = [.. manifest.Files.Select(file => file.Name.Value)];
            VersionFiles sealedFiles = new(files, upload.Owner, version, key);
            SignatureFacts? signature = await UploadedSignature.VerifyAsync(sealedFiles, manifest, ticket.TrustedKeys, CancellationToken.None);
            ModelFacts facts = await ModelValidator.ValidateAsync(sealedFiles, names, manifest.TotalBytes, CancellationToken.None);
            return await upload.User.CompleteCommit(upload.UploadId, manifest.Digest.Hex, facts with { Signature = signature });
        }
        catch (StoreException exception) when (exception.Error == StoreError.NotFound)
        {
            await upload.User.RejectUpload(upload.UploadId, claim.CommitId);
            throw new RequestException(RequestError.ModelInvalid, "The upload has no file: send the model's files first.") { Detail = "file_missing" };
        }
        catch (StoreException exception) when (exception.Error == StoreError.OffsetMismatch)
        {
            await upload.User.RejectUpload(upload.UploadId, claim.CommitId);
            throw new RequestException(RequestError.ModelInvalid, "A file of the upload broke off and was not sent to its end: begin a new upload.") { Detail = "file_incomplete" };
        }
        catch (RequestException exception) when (exception.Error == RequestError.ModelInvalid)
        {
            await upload.User.RejectUpload(upload.UploadId, claim.CommitId);
            throw;
        }
        catch (StoreException exception) when (exception.Error == StoreError.Sealed)
        {
            // Another process is at it, or was first; the repeat finds what it published, or takes over where it failed.
            await upload.User.LeaveCommit(upload.UploadId, claim.CommitId);
            throw new RequestException(RequestError.Conflict, "This upload is being committed by another request.") { RetryAfter = TimeSpan.FromSeconds(1) };
        }
        catch
        {
            // A fault of ours, a quota, or other files than those expected: the upload is as it was, and the commit can be repeated.
            await upload.User.ReopenUpload(upload.UploadId, claim.CommitId);
            throw;
        }
    }

    /// <summary>Cheap, and before any file is ended.</summary>
    private async Task RequireNamesAsync(Upload upload, VersionId version, ExpectedFiles expected) =>
        expected.RequireNames(await files.ListAsync(upload.Owner, version, CancellationToken.None).Select(file => file.Name).ToListAsync());

    private async Task RequireClosedAsync(Upload upload, VersionId version, ExpectedFiles expected) =>
        expected.RequireClosed(await files.ReadManifestAsync(upload.Owner, version, CancellationToken.None) ?? throw RequestException.NotFound("upload"));

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
}
