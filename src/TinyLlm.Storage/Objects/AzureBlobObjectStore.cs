using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;

namespace TinyLlm.Storage;

/// <summary>
/// Objects as block blobs of one container. Conditions are the service's own (If-Match, If-None-Match). An append stages blocks, which nobody sees, and
/// commits the list of all blocks under the ETag that it began with: after each block, or, with a digest, once after the whole body matched.
/// Blocks that are never committed are removed by the service within a week.
/// A write leaves its attempt's id in the blob's metadata: a condition that fails over our own id was met by an attempt whose answer was lost.
/// Answers of the service that are neither transient nor any of <see cref="StoreError"/> come through as they are.
/// </summary>
public sealed class AzureBlobObjectStore : ObjectStore
{
    private const int DeleteParallelism = 8;
    private const int ReadBytes = 4 << 20;
    private const string WriteIdKey = "write";
    private const int NotFoundStatus = 404;
    private const int ConflictStatus = 409;
    private const int PreconditionFailedStatus = 412;

    private readonly BlobContainerClient container;

    private AzureBlobObjectStore(BlobContainerClient container) : base(TimeProvider.System) => this.container = container;

    /// <summary>
    /// Options for the container's client: no retries of its own, because this store repeats what fails, and a time limit that a block of
    /// <see cref="ObjectStore.AppendBlockBytes"/> keeps over 3 Mbit/s.
    /// </summary>
    public static BlobClientOptions ClientOptions() => new() { Retry = { MaxRetries = 0, NetworkTimeout = TimeSpan.FromSeconds(25) } };

    /// <summary>Opens the store over a container, which is made when it isn't there.</summary>
    public static async Task<AzureBlobObjectStore> OpenAsync(BlobContainerClient container, CancellationToken cancellationToken)
    {
        AzureBlobObjectStore store = new(container);
        await store.TryAsync(
            async cancel => await container.CreateIfNotExistsAsync(cancellationToken: cancel).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        return store;
    }

    /// <summary>Nothing to do: the service collects what was staged and never committed.</summary>
    public override Task<int> CollectTemporaryAsync(TimeSpan olderThan, CancellationToken cancellationToken) => Task.FromResult(0);

    private protected override bool IsTransient(Exception error) => error switch
    {
        RequestFailedException failed => failed.Status is 0 or 408 or 429 or 500 or 502 or 503 or 504, // 0: no answer
        AggregateException several => several.InnerExceptions.All(IsTransient),
        IOException or TimeoutException or OperationCanceledException => true, // the client's own time limit; a caller's cancellation is asked for before
        _ => false,
    };

    private protected override async Task<StoredObject?> GetCoreAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            using BlobDownloadStreamingResult blob =
                await container.GetBlobClient(name).DownloadStreamingAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
            if (blob.Details.ContentLength > MaxSmallObjectBytes) throw TooLarge(MaxSmallObjectBytes);
            byte[] bytes = new byte[blob.Details.ContentLength];
            await blob.Content.ReadExactlyAsync(bytes, cancellationToken).ConfigureAwait(false);
            return new StoredObject(bytes, TextOf(blob.Details.ETag));
        }
        catch (RequestFailedException error) when (error.Status == NotFoundStatus)
        {
            return null;
        }
    }

    private protected override async Task<string> PutCoreAsync(
        string name, ReadOnlyMemory<byte> bytes, PutCondition condition, WriteAttempt attempt, CancellationToken cancellationToken)
    {
        if (attempt.IsRepeat && await FindWriteAsync(name, attempt, cancellationToken).ConfigureAwait(false) is { } written) return written.ETag;
        BlobUploadOptions options = new()
        {
            Conditions = ConditionsOf(condition),
            Metadata = MetadataOf(attempt),
            TransferOptions = new() { InitialTransferSize = MaxSmallObjectBytes }, // One request.
        };
        try
        {
            BlobContentInfo info = await container.GetBlobClient(name).UploadAsync(new BinaryData(bytes), options, cancellationToken).ConfigureAwait(false);
            return TextOf(info.ETag);
        }
        catch (RequestFailedException error) when (IsConditionFailed(error) || error.ErrorCode == BlobErrorCode.BlobNotFound)
        {
            Stat? stored = await StatWriteAsync(name, cancellationToken).ConfigureAwait(false);
            return stored?.WriteId == attempt.Id ? stored.Info.ETag : throw ConditionFailed(stored?.Info.ETag);
        }
    }

    private protected override async Task<bool> DeleteCoreAsync(string name, PutCondition condition, WriteAttempt attempt, CancellationToken cancellationToken)
    {
        // A deletion that wants no object never deletes one; the service's emulator ignores If-None-Match here and would.
        if (condition.MustBeAbsent)
        {
            ObjectInfo? present = (await StatWriteAsync(name, cancellationToken).ConfigureAwait(false))?.Info;
            return present is null ? false : throw ConditionFailed(present.ETag);
        }
        try
        {
            await container.GetBlobClient(name).DeleteAsync(DeleteSnapshotsOption.IncludeSnapshots, ConditionsOf(condition), cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (RequestFailedException error) when (error.Status == NotFoundStatus)
        {
            return attempt.IsRepeat;
        }
        catch (RequestFailedException error) when (IsConditionFailed(error))
        {
            // The service may test the condition before it looks whether there is a blob at all.
            ObjectInfo? stored = (await StatWriteAsync(name, cancellationToken).ConfigureAwait(false))?.Info;
            return stored is null ? attempt.IsRepeat : throw ConditionFailed(stored.ETag);
        }
    }

    private protected override Task DeletePrefixCoreAsync(string prefix, CancellationToken cancellationToken)
    {
        ParallelOptions options = new() { MaxDegreeOfParallelism = DeleteParallelism, CancellationToken = cancellationToken };
        return Parallel.ForEachAsync(BlobsBelow(prefix, cancellationToken), options, async (blob, cancel) => await TryAsync(
            async token => await container.GetBlobClient(blob.Name).DeleteIfExistsAsync(DeleteSnapshotsOption.IncludeSnapshots, null, token).ConfigureAwait(false),
            cancel).ConfigureAwait(false));
    }

    private protected override async IAsyncEnumerable<ObjectInfo> ListCoreAsync(
        string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (BlobItem blob in BlobsBelow(prefix, cancellationToken).ConfigureAwait(false))
        {
            if (ObjectName.IsValid(blob.Name) && blob.Properties is { ETag: { } eTag, ContentLength: { } length, LastModified: { } modified })
                yield return new ObjectInfo(blob.Name, length, TextOf(eTag), modified);
        }
    }

    private protected override async Task<Stream> OpenReadCoreAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            // Reads go on only while the blob is the one that was opened.
            Stream stream = await container.GetBlobClient(name)
                .OpenReadAsync(new BlobOpenReadOptions(allowModifications: false) { BufferSize = ReadBytes }, cancellationToken).ConfigureAwait(false);
            return new RepeatedReadStream(stream, (read, cancel) => TryAsync(read, cancel));
        }
        catch (RequestFailedException error) when (error.Status == NotFoundStatus)
        {
            throw NotFound();
        }
    }

    private protected override async Task ReadPiecesCoreAsync(
        string name, long offset, long count, Memory<byte> buffer, Action<ReadOnlySpan<byte>> take, Func<Action, CancellationToken, Task> run, CancellationToken cancellationToken)
    {
        if (count == 0) // no range is empty
        {
            if (await StatWriteAsync(name, cancellationToken).ConfigureAwait(false) is null) throw NotFound();
            return;
        }
        BlobDownloadOptions options = new() { Range = new HttpRange(offset, count) };
        try
        {
            using BlobDownloadStreamingResult range =
                await container.GetBlobClient(name).DownloadStreamingAsync(options, cancellationToken).ConfigureAwait(false);
            while (count > 0)
            {
                Memory<byte> room = buffer[..(int)Math.Min(buffer.Length, count)];
                int filled = await range.Content.ReadAtLeastAsync(room, room.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
                if (filled > 0) await run(() => take(room.Span[..filled]), cancellationToken).ConfigureAwait(false);
                if (filled < room.Length) return;
                count -= filled;
            }
        }
        catch (RequestFailedException error) when (error.Status == NotFoundStatus)
        {
            throw NotFound();
        }
        catch (RequestFailedException error) when (error.ErrorCode == BlobErrorCode.InvalidRange)
        {
            // It begins at the end, or behind it: there is nothing to hand on.
        }
    }

    private protected override async Task<ObjectInfo?> StatCoreAsync(string name, CancellationToken cancellationToken) =>
        (await StatWriteAsync(name, cancellationToken).ConfigureAwait(false))?.Info;

    private protected override async Task<AppendResult> AppendCoreAsync(
        string name, ObjectInfo? found, Stream body, long maxBytes, ContentDigest? contentDigest, CancellationToken cancellationToken)
    {
        BlockBlobClient blob = container.GetBlockBlobClient(name);
        (ObjectInfo? stored, long offset) = (found, found?.Length ?? 0);
        using BlockBuffer buffer = new(AppendBlockBytes);
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        try
        {
            List<string> blocks = await TryAsync(cancel => BlocksOfAsync(name, blob, found, cancel), cancellationToken).ConfigureAwait(false);
            long end = offset;
            while (true)
            {
                await buffer.ReadAsync(body, cancellationToken).ConfigureAwait(false);
                ReadOnlyMemory<byte> block = buffer.Block;
                if (block.Length > maxBytes - end) throw TooLarge(maxBytes);
                bool last = !buffer.IsFull;
                if (!block.IsEmpty)
                {
                    hash.AppendData(block.Span);
                    blocks.Add(await TryAsync(cancel => StageAsync(blob, block, cancel), cancellationToken).ConfigureAwait(false));
                    end += block.Length;
                }
                if (last && contentDigest is not null && !contentDigest.Equals(new ContentDigest(hash.GetHashAndReset()))) throw DigestMismatch();
                bool commit = contentDigest is null ? !block.IsEmpty : last && end > offset;
                if (commit || (last && stored == found)) // nothing, too, is an append: it makes the object, or gives it another ETag
                {
                    WriteAttempt attempt = new();
                    ObjectInfo? before = stored;
                    stored = await TryAsync(
                        cancel => CommitAsync(name, blob, blocks, before, end, attempt.Begin(), cancel), cancellationToken).ConfigureAwait(false);
                }
                if (last) return new AppendResult(end, stored!.ETag); // An object that wasn't there has just been made.
            }
        }
        catch (RequestFailedException error) when (error.ErrorCode == BlobErrorCode.BlockCountExceedsLimit)
        {
            throw new StoreException(StoreError.TooLarge, "the object has as many blocks as the service allows: send it in larger pieces");
        }
    }

    /// <summary>The ids of the blob's blocks, in order. One that was written whole has none: then its bytes are staged again, as the first block.</summary>
    private async Task<List<string>> BlocksOfAsync(string name, BlockBlobClient blob, ObjectInfo? found, CancellationToken cancellationToken)
    {
        if (found is null || found.Length == 0) return [];
        try
        {
            BlockList list = await blob.GetBlockListAsync(BlockListTypes.Committed, cancellationToken: cancellationToken).ConfigureAwait(false);
            List<string> blocks = [.. list.CommittedBlocks.Select(block => block.Name)];
            if (blocks.Count > 0) return blocks;
            BlobRequestConditions same = new() { IfMatch = new ETag(found.ETag) };
            BlobDownloadResult whole = await blob
                .DownloadContentAsync(new BlobDownloadOptions { Conditions = same }, cancellationToken).ConfigureAwait(false);
            byte[] bytes = whole.Content.ToArray();
            return [await StageAsync(blob, bytes, cancellationToken).ConfigureAwait(false)];
        }
        catch (RequestFailedException error) when (error.Status is NotFoundStatus or PreconditionFailedStatus)
        {
            // Another writer deleted or replaced it since it was found.
            throw OffsetMismatch(found.Length, (await StatCoreAsync(name, cancellationToken).ConfigureAwait(false))?.Length ?? 0);
        }
    }

    /// <summary>Uploads one block under an id of its own, so that two appends never overwrite each other's.</summary>
    private static async Task<string> StageAsync(BlockBlobClient blob, ReadOnlyMemory<byte> block, CancellationToken cancellationToken)
    {
        string id = Convert.ToBase64String(Guid.NewGuid().ToByteArray());
        using Stream content = BinaryData.FromBytes(block).ToStream();
        await blob.StageBlockAsync(id, content, cancellationToken: cancellationToken).ConfigureAwait(false);
        return id;
    }

    private async Task<ObjectInfo> CommitAsync(
        string name, BlockBlobClient blob, List<string> blocks, ObjectInfo? stored, long end, WriteAttempt attempt, CancellationToken cancellationToken)
    {
        CommitBlockListOptions options = new()
        {
            Metadata = MetadataOf(attempt),
            Conditions = ConditionsOf(stored is null ? PutCondition.IfAbsent : PutCondition.IfMatch(stored.ETag)),
        };
        try
        {
            BlobContentInfo info = await blob.CommitBlockListAsync(blocks, options, cancellationToken).ConfigureAwait(false);
            return new ObjectInfo(name, end, TextOf(info.ETag), info.LastModified);
        }
        catch (RequestFailedException error) when (IsConditionFailed(error) || error.Status == NotFoundStatus || error.ErrorCode == BlobErrorCode.InvalidBlockList)
        {
            // Another append was first; its commit also threw our blocks away. Or it was this one, and its answer was lost.
            Stat? now = await StatWriteAsync(name, cancellationToken).ConfigureAwait(false);
            return now?.WriteId == attempt.Id ? now.Info : throw OffsetMismatch(stored?.Length ?? 0, now?.Info.Length ?? 0);
        }
    }

    /// <summary>What this write left there, if it went through before.</summary>
    private async Task<ObjectInfo?> FindWriteAsync(string name, WriteAttempt attempt, CancellationToken cancellationToken) =>
        await StatWriteAsync(name, cancellationToken).ConfigureAwait(false) is { } stored && stored.WriteId == attempt.Id ? stored.Info : null;

    private async Task<Stat?> StatWriteAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            BlobProperties blob = await container.GetBlobClient(name).GetPropertiesAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
            return new Stat(new ObjectInfo(name, blob.ContentLength, TextOf(blob.ETag), blob.LastModified), blob.Metadata.TryGetValue(WriteIdKey, out string? id) ? id : null);
        }
        catch (RequestFailedException error) when (error.Status == NotFoundStatus)
        {
            return null;
        }
    }

    private async IAsyncEnumerable<BlobItem> BlobsBelow(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        GetBlobsOptions options = new() { Prefix = prefix.Length == 0 ? null : prefix + "/" };
        string? next = null;
        do
        {
            string? from = next;
            Page<BlobItem>? page = await TryAsync(
                async cancel => await container.GetBlobsAsync(options, cancel).AsPages(from).FirstOrDefaultAsync(cancel).ConfigureAwait(false),
                cancellationToken).ConfigureAwait(false);
            foreach (BlobItem blob in page?.Values ?? []) yield return blob;
            next = page?.ContinuationToken;
        }
        while (!string.IsNullOrEmpty(next));
    }

    private static Dictionary<string, string> MetadataOf(WriteAttempt attempt) => new() { [WriteIdKey] = attempt.Id };

    private static BlobRequestConditions? ConditionsOf(PutCondition condition) =>
        condition.MustBeAbsent ? new BlobRequestConditions { IfNoneMatch = ETag.All }
        : condition.ETag is { } eTag ? new BlobRequestConditions { IfMatch = new ETag(eTag) }
        : null;

    private static bool IsConditionFailed(RequestFailedException error) => error.Status is PreconditionFailedStatus or ConflictStatus;

    /// <summary>Always with quotes: the service writes them in headers but not in listings.</summary>
    private static string TextOf(ETag eTag) => eTag.ToString("H");

    /// <summary>A blob as it is, and which write left it so.</summary>
    private sealed record Stat(ObjectInfo Info, string? WriteId);
}
