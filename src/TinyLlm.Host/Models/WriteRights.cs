using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Models;
using TinyLlm.Storage;

namespace TinyLlm.Host.Models;

/// <summary>The right to write a file of an upload, from when a request gets it until the owner has it back.</summary>
internal sealed partial class WriteRights(ModelFiles files, ILocalSiloDetails local, TimeProvider time, ILogger<WriteRights> logger) : IDisposable
{
    /// <summary>Between attempts to give a right back that could not be given back.</summary>
    private static readonly TimeSpan s_endAgainAfter = TimeSpan.FromSeconds(1);

    /// <summary>A right that is not renewed for so long is anybody's.</summary>
    private static readonly TimeSpan s_endsByItself = TimeSpan.FromMinutes(1);

    private readonly CancellationTokenSource _disposed = new();

    public void Dispose()
    {
        _disposed.Cancel();
        _disposed.Dispose();
    }

    /// <summary>Asks for the right, for as long as another holds it that may soon be gone.</summary>
    public async Task<WriteLease> BeginAsync(UploadService.Upload upload, ModelFileName file, CancellationToken cancellationToken)
    {
        WriteClaim claim = WriteClaim.New(local.SiloAddress);
        try
        {
            return await Patience.WhenFreeAsync(() => upload.User.BeginWrite(upload.Model, upload.UploadId, file.Value, claim), time, cancellationToken);
        }
        catch (Exception exception) when (exception is not RequestException)
        {
            EndLater(upload, claim.LeaseId, file); // it may have been granted, and the answer lost
            throw;
        }
    }

    /// <summary>
    /// Keeps the lease alive while the body arrives; when it is lost, the writing stops before the next block. An owner who can't be reached has not
    /// taken it away: there is time to ask again before it ends by itself.
    /// </summary>
    public async Task RenewAsync(UploadService.Upload upload, WriteLease lease, CancellationTokenSource writing)
    {
        try
        {
            using PeriodicTimer timer = new(lease.Lifetime / 4, time);
            long renewed = time.GetTimestamp();
            while (await timer.WaitForNextTickAsync(writing.Token))
            {
                long asked = time.GetTimestamp();
                try
                {
                    await upload.User.RenewWrite(upload.UploadId, lease.LeaseId);
                    renewed = asked;
                }
                catch (Exception exception) when (exception is not RequestException && time.GetElapsedTime(renewed) < lease.Lifetime / 2)
                {
                    LogNotRenewed(logger, lease.Version, exception);
                }
            }
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
    public async Task<bool> TryEndAsync(UploadService.Upload upload, WriteLease lease, ModelFileName file)
    {
        try
        {
            await upload.User.EndWrite(upload.UploadId, lease.LeaseId, await files.LengthAsync(upload.Owner, lease.Version, file, CancellationToken.None) ?? 0);
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
        catch (Exception exception) when (exception is not RequestException)
        {
            EndLater(upload, lease.LeaseId, file);
            throw;
        }
    }

    /// <summary>Goes on after its request has failed: a right that nobody gives back keeps the client's next attempt out for as long as it lives.</summary>
    private void EndLater(UploadService.Upload upload, string leaseId, ModelFileName file) => _ = EndAsync(upload, leaseId, file, _disposed.Token);

    private async Task EndAsync(UploadService.Upload upload, string leaseId, ModelFileName file, CancellationToken disposed)
    {
        long since = time.GetTimestamp();
        do
        {
            try
            {
                await Task.Delay(s_endAgainAfter, time, disposed);
                VersionId version = (await upload.User.GetUpload(upload.Model, upload.UploadId)).Version;
                await upload.User.EndWrite(upload.UploadId, leaseId, await files.LengthAsync(upload.Owner, version, file, disposed) ?? 0);
                return;
            }
            catch (Exception exception) when (exception is RequestException or OperationCanceledException)
            {
                return; // it was not granted, has ended by itself, or nobody is left to tell
            }
            catch (Exception exception)
            {
                LogNotEnded(logger, upload.UploadId, exception);
            }
        }
        while (time.GetElapsedTime(since) < s_endsByItself);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "The right to write to version {Version} could not be renewed, and is asked for again")]
    private static partial void LogNotRenewed(ILogger logger, VersionId version, Exception exception);

    [LoggerMessage(Level = LogLevel.Information, Message = "A right to write to upload {UploadId} could not be given back")]
    private static partial void LogNotEnded(ILogger logger, string uploadId, Exception exception);

    [LoggerMessage(Level = LogLevel.Information, Message = "The right to write to version {Version} was lost")]
    private static partial void LogLeaseLost(ILogger logger, VersionId version, Exception exception);
}
