using TinyLlm.Cli.Api;

namespace TinyLlm.Cli.Push;

/// <summary>
/// Sends a model as one upload, all or nothing:
/// 1. begin; 2. each file in segments with their digests, going on after the last durable byte when the connection drops; 3. commit, with the digest that
/// each file had before its first byte was sent: one that changed meanwhile becomes no version.
/// Whatever goes wrong on the way, the upload is abandoned. Knows no terminal: <see cref="IPushProgress"/> is told.
/// </summary>
internal sealed class Upload(TinyLlmClient client, TransferPolicy transfer, TimeProvider time)
{
    // Long enough for a loaded server, short enough for someone who pressed Ctrl-C.
    private static readonly TimeSpan AbandonTimeout = TimeSpan.FromSeconds(5);

    public async Task<CommittedModel> SendAsync(string model, ModelFolder folder, IPushProgress progress, CancellationToken cancellationToken)
    {
        string key = Guid.NewGuid().ToString("N");

        // 1. A repeat with the same key meets the same upload.
        string upload = await transfer.RunAsync(() => client.BeginUploadAsync(model, $"{key}-begin", cancellationToken), time, cancellationToken);
        try
        {
            // 2.
            List<ExpectedFile> expected = [];
            foreach (ModelFile file in folder.Files)
            {
                progress.Begin(file);
                expected.Add(new ExpectedFile(file.Name, Convert.ToHexStringLower(await FileSegment.DigestAsync(file, 0, file.Bytes, cancellationToken))));
                await SendFileAsync(model, upload, file, progress, cancellationToken);
                progress.End(file);
            }

            // 3.
            progress.Committing();
            return await transfer.RunAsync(() => client.CommitAsync(model, upload, $"{key}-commit", new ExpectedFiles(expected), cancellationToken), time, cancellationToken);
        }
        catch
        {
            await AbandonAsync(model, upload);
            throw;
        }
    }

    // Segment by segment; after a failure, on from where the server says it is.
    private async Task SendFileAsync(string model, string upload, ModelFile file, IPushProgress progress, CancellationToken cancellationToken)
    {
        long offset = 0;
        int failures = 0;
        bool asks = false;
        do
        {
            try
            {
                if (asks)
                {
                    long durable = await client.GetUploadOffsetAsync(model, upload, file.Name, cancellationToken);
                    if (durable > file.Bytes) throw new ApiException($"the server holds {durable} bytes of {file.Name}, which has {file.Bytes}");
                    if (durable > offset) failures = 0;
                    offset = durable;
                    asks = false;
                    progress.Report(file, offset);
                    continue;
                }
                long count = Math.Min(transfer.SegmentBytes, file.Bytes - offset);
                byte[] digest = await FileSegment.DigestAsync(file, offset, count, cancellationToken);
                using FileSegment segment = new(file, offset, count, digest, position => progress.Report(file, position));
                await client.PutFileAsync(model, upload, file.Name, offset, segment, cancellationToken);
                offset += count;
                failures = 0;
                if (count == 0) return; // an empty file is one empty request
            }
            // A conflict: the server is still busy with the dropped connection's bytes, or has more of them than we know.
            catch (Exception fault) when (TransferPolicy.IsTransient(fault) || fault is ApiException { Status: 409 })
            {
                if (LocalCause(fault) is UsageException local) throw local;
                if (++failures >= transfer.MaxFailures) throw;
                await transfer.PauseAsync(failures, fault, time, cancellationToken);
                asks = true;
            }
        }
        while (asks || offset < file.Bytes || file.Bytes == 0);
    }

    // The client wraps what goes wrong while it reads the file into a fault of the connection.
    private static Exception? LocalCause(Exception fault)
    {
        Exception? cause = fault;
        while (cause is not null and not UsageException) cause = cause.InnerException;
        return cause;
    }

    private async Task AbandonAsync(string model, string upload)
    {
        using CancellationTokenSource deadline = new(AbandonTimeout, time);
        try
        {
            await client.AbandonAsync(model, upload, deadline.Token);
        }
        catch (Exception fault) when (fault is ApiException or OperationCanceledException || ApiException.IsNetwork(fault))
        {
            // The fault that ended the upload is the one to tell; the server gives an abandoned upload up by itself later.
        }
    }
}
