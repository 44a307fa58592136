using Polly;

namespace TinyLlm.Storage;

/// <summary>
/// Bytes under names, with the semantics of a blob container: whole small objects written under a condition, large ones appended to and read as
/// streams. Backed by local files or by Azure Blob Storage; one conformance suite holds for both. Knows nothing of users, models or grains.
/// What fails for a moment is repeated (<see cref="StoreRetry"/>), then answered with <see cref="StoreError.Unavailable"/>; a write whose answer was lost is
/// recognised (<see cref="WriteAttempt"/>). Every method checks names (<see cref="ObjectName"/>) before it does anything. All are safe to call from many threads.
/// </summary>
public abstract class ObjectStore
{
    /// <summary>The most that <see cref="GetAsync"/> and <see cref="PutAsync"/> take: they hold the object in memory.</summary>
    public const int MaxSmallObjectBytes = 64 << 20;

    /// <summary>Bytes that an append makes durable at a time.</summary>
    public const int AppendBlockBytes = 8 << 20;

    private protected ObjectStore(TimeProvider time) => Attempts = StoreRetry.Pipeline(IsTransient, time);

    /// <summary>Runs each access to the disk or the service, and repeats it.</summary>
    internal ResiliencePipeline Attempts { get; set; }

    /// <summary>A small object and its ETag; null when there is none.</summary>
    public Task<StoredObject?> GetAsync(string name, CancellationToken cancellationToken)
    {
        ObjectName.Require(name);
        return TryAsync(cancel => GetCoreAsync(name, cancel), cancellationToken);
    }

    /// <summary>
    /// Writes a small object whole: after a crash at any point there is the old one or the new one. When this returns, the bytes are durable.
    /// </summary>
    /// <returns>The new ETag. No two writes of a name get the same one.</returns>
    /// <exception cref="StoreException">ConditionFailed, StorageFull, TooLarge, BadName; as everywhere, Unavailable.</exception>
    public Task<string> PutAsync(string name, ReadOnlyMemory<byte> bytes, PutCondition condition, CancellationToken cancellationToken)
    {
        ObjectName.Require(name);
        ArgumentNullException.ThrowIfNull(condition);
        if (bytes.Length > MaxSmallObjectBytes) throw TooLarge(MaxSmallObjectBytes);
        WriteAttempt attempt = new();
        return TryAsync(cancel => PutCoreAsync(name, bytes, condition, attempt.Begin(), cancel), cancellationToken);
    }

    /// <summary>Deletes an object.</summary>
    /// <returns>Whether there was one; after a lost answer, whether there may have been one.</returns>
    /// <exception cref="StoreException">ConditionFailed: an object is there, but another than the condition names.</exception>
    public Task<bool> DeleteAsync(string name, PutCondition condition, CancellationToken cancellationToken)
    {
        ObjectName.Require(name);
        ArgumentNullException.ThrowIfNull(condition);
        WriteAttempt attempt = new();
        return TryAsync(cancel => DeleteCoreAsync(name, condition, attempt.Begin(), cancel), cancellationToken);
    }

    /// <summary>Deletes every object below <paramref name="prefix"/>, which is whole parts of a name, without the '/' that follows; never everything.</summary>
    public Task DeletePrefixAsync(string prefix, CancellationToken cancellationToken)
    {
        ObjectName.Require(prefix);
        return TryAsync(
            async cancel =>
            {
                await DeletePrefixCoreAsync(prefix, cancel).ConfigureAwait(false);
                return true;
            },
            cancellationToken);
    }

    /// <summary>The objects below <paramref name="prefix"/> (whole parts of a name; empty: all), in no order.</summary>
    public IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        if (prefix.Length > 0) ObjectName.Require(prefix);
        return ListCoreAsync(prefix, cancellationToken);
    }

    /// <summary>A seekable stream over the object as it is now; the caller disposes it.</summary>
    /// <exception cref="StoreException">NotFound.</exception>
    public Task<Stream> OpenReadAsync(string name, CancellationToken cancellationToken)
    {
        ObjectName.Require(name);
        return TryAsync(cancel => OpenReadCoreAsync(name, cancel), cancellationToken);
    }

    /// <summary>
    /// Reads from <paramref name="offset"/> on into <paramref name="destination"/>, in one access; many may run at a time. What several reads of an
    /// object give belongs together only if it did not change meanwhile: who must know checks a digest or a tag.
    /// </summary>
    /// <returns>How many bytes were read: as many as there is room for, or fewer because the object ends.</returns>
    /// <exception cref="StoreException">NotFound.</exception>
    public async Task<int> ReadRangeAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        (int)await ReadPiecesAsync(name, offset, destination.Length, destination, static _ => { }, Task.Run, cancellationToken).ConfigureAwait(false);

    /// <summary>
    /// Reads as <see cref="ReadRangeAsync"/> does, through a buffer that is smaller than the range: what it holds is used while it is still in the
    /// processor's cache. The buffer is filled again and again, to the last byte but for the last time, and each filling is handed on, in order and
    /// each once, also when the access had to be repeated. What uses it runs on <see cref="LowPriorityThreads"/>.
    /// </summary>
    /// <param name="name">The object.</param>
    /// <param name="offset">Where the range begins.</param>
    /// <param name="count">Bytes of the range.</param>
    /// <param name="buffer">Room for one piece.</param>
    /// <param name="take">Uses a piece before it returns. What it throws ends the reading.</param>
    /// <param name="cancellationToken">Ends the reading after a piece.</param>
    /// <returns>How many bytes were handed on: <paramref name="count"/>, or fewer because the object ends.</returns>
    /// <exception cref="StoreException">NotFound.</exception>
    public Task<long> ReadPiecesAsync(
        string name, long offset, long count, Memory<byte> buffer, Action<ReadOnlySpan<byte>> take, CancellationToken cancellationToken) =>
        ReadPiecesAsync(name, offset, count, buffer, take, LowPriorityThreads.RunAsync, cancellationToken);

    private Task<long> ReadPiecesAsync(
        string name, long offset, long count, Memory<byte> buffer, Action<ReadOnlySpan<byte>> take, Func<Action, CancellationToken, Task> run, CancellationToken cancellationToken)
    {
        ObjectName.Require(name);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentNullException.ThrowIfNull(take);
        if (buffer.IsEmpty && count > 0) throw new ArgumentException($"{count} bytes were asked for, and the buffer has room for none", nameof(buffer));
        long taken = 0;
        return TryAsync(
            async cancel =>
            {
                await ReadPiecesCoreAsync(name, offset + taken, count - taken, buffer, Take, run, cancel).ConfigureAwait(false);
                return taken;
            },
            cancellationToken);

        void Take(ReadOnlySpan<byte> piece)
        {
            take(piece);
            taken += piece.Length;
        }
    }

    /// <summary>The object's durable length in bytes; null when there is none.</summary>
    public async Task<long?> LengthAsync(string name, CancellationToken cancellationToken) =>
        (await StatAsync(name, cancellationToken).ConfigureAwait(false))?.Length;

    /// <summary>The object as a listing would show it; null when there is none.</summary>
    internal Task<ObjectInfo?> StatAsync(string name, CancellationToken cancellationToken)
    {
        ObjectName.Require(name);
        return TryAsync(cancel => StatCoreAsync(name, cancel), cancellationToken);
    }

    /// <summary>
    /// Appends <paramref name="body"/> to the object (made when it isn't there) in blocks of <see cref="AppendBlockBytes"/>, each durable before the
    /// next one is read, with one block in memory. Of two appends that meet, one goes on and the other ends with OffsetMismatch; so does one whose
    /// object was replaced on the way, also by one that is as long. An append of nothing gives the object another ETag.
    /// When the body breaks off (any exception, cancellation) the blocks before stay and the exception comes through.
    /// </summary>
    /// <param name="name">The object.</param>
    /// <param name="offset">Must be the object's durable length (0 when there is none).</param>
    /// <param name="body">Read to its end; not disposed.</param>
    /// <param name="maxBytes">The most bytes that the whole object may have. No block beyond it is written.</param>
    /// <param name="contentDigest">When given, the body's SHA-256: no byte counts before all are there and match, and a body that breaks off or doesn't
    /// match leaves the object as it was. (A crash or a full disk after the match may leave the first of its bytes.)</param>
    /// <param name="cancellationToken">Ends the append after the last durable block.</param>
    /// <exception cref="StoreException">OffsetMismatch, TooLarge, DigestMismatch, StorageFull, BadName.</exception>
    public Task<AppendResult> AppendAsync(
        string name, long offset, Stream body, long maxBytes, ContentDigest? contentDigest, CancellationToken cancellationToken) =>
        AppendAsync(name, offset, body, maxBytes, contentDigest, null, cancellationToken);

    public Task<AppendResult> AppendAsync(string name, long offset, Stream body, long maxBytes, CancellationToken cancellationToken) =>
        AppendAsync(name, offset, body, maxBytes, null, cancellationToken);

    /// <summary>
    /// The same for one of several processes, of which one at a time has the right to write: <paramref name="requireRight"/> throws when it is lost. It is
    /// asked when the object has been looked at, so that what is appended to is no other's.
    /// </summary>
    internal Task<AppendResult> AppendAsync(
        string name, long offset, Stream body, long maxBytes, ContentDigest? contentDigest, Func<Task>? requireRight, CancellationToken cancellationToken)
    {
        ObjectName.Require(name);
        ArgumentNullException.ThrowIfNull(body);
        ArgumentOutOfRangeException.ThrowIfNegative(maxBytes);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        return AppendAtAsync(name, offset, body, maxBytes, contentDigest, requireRight, cancellationToken);
    }

    /// <summary>Appends to the object as it was found (null: to none, it is made), and to no other: one that changed since is a mismatch, also when it is as long.</summary>
    /// <exception cref="StoreException">OffsetMismatch, StorageFull, BadName.</exception>
    internal Task<AppendResult> AppendToAsync(string name, ObjectInfo? found, Stream body, CancellationToken cancellationToken)
    {
        ObjectName.Require(name);
        return AppendCoreAsync(name, found, body, long.MaxValue, null, cancellationToken);
    }

    /// <summary>The object's file, for memory mapping; null on a store that has no files, or when there is no such object.</summary>
    public virtual string? TryGetLocalPath(string name)
    {
        ObjectName.Require(name);
        return null;
    }

    /// <summary>The folder of the objects below <paramref name="prefix"/>; null on a store that has no files, or when there are none.</summary>
    public virtual string? TryGetLocalFolder(string prefix)
    {
        ObjectName.Require(prefix);
        return null;
    }

    /// <summary>Removes what crashed writers left behind and nobody has touched for <paramref name="olderThan"/>.</summary>
    /// <returns>How many leftovers went.</returns>
    public abstract Task<int> CollectTemporaryAsync(TimeSpan olderThan, CancellationToken cancellationToken);

    /// <summary>Whether an access that failed like this may succeed in a moment. What the store answers is never transient.</summary>
    private protected abstract bool IsTransient(Exception error);

    /// <summary>One access, repeated while it fails for a moment.</summary>
    private protected async Task<T> TryAsync<T>(Func<CancellationToken, Task<T>> access, CancellationToken cancellationToken)
    {
        try
        {
            return await Attempts.ExecuteAsync(
                static async (run, cancel) => await run(cancel).ConfigureAwait(false), access, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested && IsTransient(error))
        {
            throw Unavailable($"the store failed {StoreRetry.MaxRepeats + 1} times in a row: try again soon", error);
        }
    }

    private protected abstract Task<StoredObject?> GetCoreAsync(string name, CancellationToken cancellationToken);

    private protected abstract Task<string> PutCoreAsync(
        string name, ReadOnlyMemory<byte> bytes, PutCondition condition, WriteAttempt attempt, CancellationToken cancellationToken);

    private protected abstract Task<bool> DeleteCoreAsync(string name, PutCondition condition, WriteAttempt attempt, CancellationToken cancellationToken);

    private protected abstract Task DeletePrefixCoreAsync(string prefix, CancellationToken cancellationToken);

    private protected abstract IAsyncEnumerable<ObjectInfo> ListCoreAsync(string prefix, CancellationToken cancellationToken);

    private protected abstract Task<Stream> OpenReadCoreAsync(string name, CancellationToken cancellationToken);

    /// <param name="name">The object.</param>
    /// <param name="offset">As for the public method, like what follows.</param>
    /// <param name="count">Of the range.</param>
    /// <param name="buffer">For one piece.</param>
    /// <param name="take">Uses a piece.</param>
    /// <param name="run">Where what blocks, or takes the processor, runs.</param>
    /// <param name="cancellationToken">Ends the reading after a piece.</param>
    private protected abstract Task ReadPiecesCoreAsync(
        string name, long offset, long count, Memory<byte> buffer, Action<ReadOnlySpan<byte>> take, Func<Action, CancellationToken, Task> run, CancellationToken cancellationToken);

    private protected abstract Task<ObjectInfo?> StatCoreAsync(string name, CancellationToken cancellationToken);

    /// <param name="name">The object.</param>
    /// <param name="found">What it must still be; null when there must be none.</param>
    /// <param name="body">As for the public method, like what follows.</param>
    /// <param name="maxBytes">At least the length of <paramref name="found"/>.</param>
    /// <param name="contentDigest">Of the body.</param>
    /// <param name="cancellationToken">Ends the append after the last durable block.</param>
    private protected abstract Task<AppendResult> AppendCoreAsync(
        string name, ObjectInfo? found, Stream body, long maxBytes, ContentDigest? contentDigest, CancellationToken cancellationToken);

    private async Task<AppendResult> AppendAtAsync(
        string name, long offset, Stream body, long maxBytes, ContentDigest? contentDigest, Func<Task>? requireRight, CancellationToken cancellationToken)
    {
        ObjectInfo? found = await StatAsync(name, cancellationToken).ConfigureAwait(false);
        long durable = found?.Length ?? 0;
        if (durable != offset) throw OffsetMismatch(offset, durable);
        if (offset > maxBytes) throw TooLarge(maxBytes);
        if (found is not null && requireRight is not null) await requireRight().ConfigureAwait(false);
        return await AppendCoreAsync(name, found, body, maxBytes, contentDigest, cancellationToken).ConfigureAwait(false);
    }

    private protected static StoreException NotFound(Exception? cause = null) => new(StoreError.NotFound, "the store has no such object", cause);

    private protected static StoreException Unavailable(string message, Exception cause) => new(StoreError.Unavailable, message, cause);

    private protected static StoreException ConditionFailed(string? storedETag, Exception? cause = null) =>
        new(StoreError.ConditionFailed, "the object has changed since it was read: read it again, then write", cause) { StoredETag = storedETag };

    internal static StoreException TooLarge(long maxBytes) =>
        new(StoreError.TooLarge, $"the object may have at most {maxBytes} bytes, and there are more");

    internal static StoreException OffsetMismatch(long offset, long durableLength) =>
        new(StoreError.OffsetMismatch, $"the bytes begin at {offset}, but the object ends at {durableLength}: continue there")
        {
            DurableLength = durableLength,
        };

    internal static StoreException DigestMismatch() =>
        new(StoreError.DigestMismatch, "the bytes received don't have the digest that came with them: send them again");
}
