using System.Buffers;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;

namespace TinyLlm.Storage;

/// <summary>
/// Objects as plain files below one folder, so that they can be mapped into memory.
/// <list type="number">
/// <item>A write goes to a file in <c>.tmp</c>, is flushed, renamed to its name, and the folder is flushed: a crash leaves the old object or the
/// new one, and at most a leftover in <c>.tmp</c>.</item>
/// <item>An ETag is the file's modification time and length. Every write sets a time later than the one that it replaces, so the time is a counter
/// that lives with the file and changes with it in one rename.</item>
/// <item>A condition is checked and the write done under the object's lock (<see cref="FileLocks"/>).</item>
/// <item>An append writes block by block to the file itself, under the lock, at the length that it expects, and flushes. Its file's length is the
/// durable length. After a loss of power (not of a process) a file system that grows a file before it holds the data may show a tail that
/// was never acknowledged; the manifest's digests find it.</item>
/// </list>
/// Symbolic links below the folder are refused, not followed.
/// </summary>
public sealed class FileObjectStore : ObjectStore
{
    private const string TemporaryFolder = ".tmp";
    private const string LockFolder = ".locks";
    private const int StageBytes = 64 << 10;

    private readonly string root;
    private readonly string temporary;
    private readonly FileLocks locks;
    private readonly TimeProvider time;
    private long lastStamp;

    /// <summary>Opens the store in <paramref name="root"/>, which is made when it isn't there.</summary>
    public FileObjectStore(string root, TimeProvider time) : base(time)
    {
        this.root = Path.GetFullPath(root);
        this.time = time;
        temporary = Path.Combine(this.root, TemporaryFolder);
        string lockFolder = Path.Combine(this.root, LockFolder);
        PrivateFiles.CreateFolder(temporary);
        PrivateFiles.CreateFolder(lockFolder);
        locks = new FileLocks(lockFolder);
    }

    public FileObjectStore(string root) : this(root, TimeProvider.System)
    {
    }

    public override string? TryGetLocalPath(string name)
    {
        ObjectName.Require(name);
        return ObjectFile.Stat(PathOf(name)) is { } file ? file.FullName : null;
    }

    public override string? TryGetLocalFolder(string prefix)
    {
        ObjectName.Require(prefix);
        string path = PathOf(prefix);
        return Directory.Exists(path) ? path : null;
    }

    public override Task<int> CollectTemporaryAsync(TimeSpan olderThan, CancellationToken cancellationToken)
    {
        DateTime limit = time.GetUtcNow().UtcDateTime - olderThan;
        int removed = 0; // by all attempts together
        return TryAsync(cancel => Task.Run(() => RemoveLeftovers(limit, ref removed, cancel), cancel), cancellationToken);
    }

    /// <summary>Removes what crashed writers left behind, however young: for whoever knows that nobody else writes.</summary>
    internal void RemoveLeftovers()
    {
        int removed = 0;
        RemoveLeftovers(DateTime.MaxValue, ref removed, CancellationToken.None);
    }

    private int RemoveLeftovers(DateTime limit, ref int removed, CancellationToken cancellationToken)
    {
        foreach (FileSystemInfo leftover in new DirectoryInfo(temporary).EnumerateFileSystemInfos())
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (leftover.LastWriteTimeUtc > limit) continue;
            if (leftover is DirectoryInfo { LinkTarget: null } folder) DeleteTree(folder.FullName);
            else leftover.Delete();
            removed++;
        }
        return removed;
    }

    private protected override bool IsTransient(Exception error) => error is IOException disk && DiskErrors.IsTransient(disk);

    private protected override Task<StoredObject?> GetCoreAsync(string name, CancellationToken cancellationToken) =>
        Task.Run(() => ObjectFile.ReadWhole(PathOf(name), cancellationToken), cancellationToken);

    private protected override Task<string> PutCoreAsync(
        string name, ReadOnlyMemory<byte> bytes, PutCondition condition, WriteAttempt attempt, CancellationToken cancellationToken) => RunAsync(async () =>
    {
        string path = PathOf(name);
        if (attempt.ETag is { } written)
        {
            FolderSync.Flush(ObjectFile.FolderOf(path));
            return written;
        }
        Check(ObjectFile.Stat(path));
        string source = NewTemporary();
        try
        {
            DateTime stamp = NextStamp();
            using (FileStream file = new(source, PrivateFiles.Options(FileMode.CreateNew, FileAccess.Write, PrivateFiles.ShareAll)))
            {
                file.Write(bytes.Span);
                File.SetLastWriteTimeUtc(file.SafeFileHandle, stamp);
                file.Flush(flushToDisk: true);
            }
            using (await locks.AcquireAsync(name, cancellationToken).ConfigureAwait(false)) return ObjectFile.Publish(source, stamp, path, Check, attempt);
        }
        catch
        {
            File.Delete(source);
            throw;
        }

        void Check(FileInfo? stored)
        {
            string? eTag = stored is null ? null : ObjectFile.ETagOf(stored);
            if (!condition.Admits(eTag)) throw ConditionFailed(eTag);
        }
    }, cancellationToken);

    private protected override Task<bool> DeleteCoreAsync(
        string name, PutCondition condition, WriteAttempt attempt, CancellationToken cancellationToken) => RunAsync(async () =>
    {
        string path = PathOf(name);
        using (await locks.AcquireAsync(name, cancellationToken).ConfigureAwait(false))
        {
            if (attempt.ETag is null)
            {
                if (ObjectFile.Stat(path) is not { } stored) return false;
                string eTag = ObjectFile.ETagOf(stored);
                if (!condition.Admits(eTag)) throw ConditionFailed(eTag);
                File.Delete(path);
                attempt.ETag = eTag;
            }
            FolderSync.Flush(ObjectFile.FolderOf(path));
            return true;
        }
    }, cancellationToken);

    /// <summary>Moves the folder away in one step, then empties it: no reader sees half of it, and what a crash leaves is a leftover in .tmp.</summary>
    private protected override Task DeletePrefixCoreAsync(string prefix, CancellationToken cancellationToken) => Task.Run(() =>
    {
        string path = PathOf(prefix);
        if (!Directory.Exists(path)) return;
        string doomed = NewTemporary();
        try
        {
            Directory.Move(path, doomed);
        }
        catch (DirectoryNotFoundException)
        {
            return; // Another deletion was first.
        }
        catch (IOException) when (OperatingSystem.IsWindows())
        {
            doomed = path; // A file in it is open, and Windows moves no such folder.
        }
        FolderSync.Flush(ObjectFile.FolderOf(path));
        DeleteTree(doomed);
    }, cancellationToken);

    /// <summary>One access a folder, so that what fails for a moment is repeated and nothing is listed twice.</summary>
    private protected override async IAsyncEnumerable<ObjectInfo> ListCoreAsync(
        string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        Stack<string> folders = new([prefix.Length == 0 ? root : PathOf(prefix)]);
        while (folders.TryPop(out string? folder))
        {
            (List<ObjectInfo> objects, List<string> inner) =
                await TryAsync(cancel => Task.Run(() => FolderListing.Read(root, folder), cancel), cancellationToken).ConfigureAwait(false);
            foreach (string found in inner) folders.Push(found);
            foreach (ObjectInfo info in objects) yield return info;
        }
    }

    private protected override Task<Stream> OpenReadCoreAsync(string name, CancellationToken cancellationToken)
    {
        string path = PathOf(name);
        try
        {
            FileStream file = new(path, PrivateFiles.Options(FileMode.Open, FileAccess.Read, PrivateFiles.ShareAll));
            return Task.FromResult<Stream>(new RepeatedReadStream(file, (read, cancel) => TryAsync(read, cancel)));
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException || Directory.Exists(path))
        {
            throw NotFound(error);
        }
    }

    private protected override Task ReadPiecesCoreAsync(
        string name, long offset, long count, Memory<byte> buffer, Action<ReadOnlySpan<byte>> take, Func<Action, CancellationToken, Task> run, CancellationToken cancellationToken) => run(
        () =>
        {
            if (!ObjectFile.TryReadPieces(PathOf(name), offset, count, buffer.Span, take, cancellationToken)) throw NotFound();
        },
        cancellationToken);

    private protected override Task<ObjectInfo?> StatCoreAsync(string name, CancellationToken cancellationToken) =>
        Task.FromResult(ObjectFile.Stat(PathOf(name)) is { } file ? ObjectFile.InfoOf(name, file) : null);

    private protected override Task<AppendResult> AppendCoreAsync(
        string name, ObjectInfo? found, Stream body, long maxBytes, ContentDigest? contentDigest, CancellationToken cancellationToken) => RunAsync(
        () => contentDigest is null
            ? AppendBlocksAsync(name, found, body, maxBytes, cancellationToken)
            : AppendVerifiedAsync(name, found, body, maxBytes, contentDigest, cancellationToken),
        cancellationToken);

    private async Task<AppendResult> AppendBlocksAsync(string name, ObjectInfo? found, Stream body, long maxBytes, CancellationToken cancellationToken)
    {
        using BlockBuffer buffer = new(AppendBlockBytes);
        AppendResult? result = null;
        while (true)
        {
            await buffer.ReadAsync(body, cancellationToken).ConfigureAwait(false);
            long end = result?.Length ?? found?.Length ?? 0;
            if (buffer.Block.Length > maxBytes - end) throw TooLarge(maxBytes);
            if (!buffer.Block.IsEmpty || result is null)
                result = await WriteBlockAsync(name, end, result?.ETag ?? found?.ETag, buffer.Block, cancellationToken).ConfigureAwait(false);
            if (!buffer.IsFull) return result;
        }
    }

    /// <summary>Writes a block once, however often its answer is lost.</summary>
    private Task<AppendResult> WriteBlockAsync(string name, long offset, string? eTag, ReadOnlyMemory<byte> block, CancellationToken cancellationToken)
    {
        AppendResult? written = null;
        return TryAsync(
            async cancel =>
            {
                using (await locks.AcquireAsync(name, cancel).ConfigureAwait(false))
                    return written ??= ObjectFile.WriteBlock(PathOf(name), offset, eTag, block.Span, NextStamp());
            },
            cancellationToken);
    }

    /// <summary>Stages the body beside the object until its digest is known, then makes it the object (a rename) or copies it to the end.</summary>
    private async Task<AppendResult> AppendVerifiedAsync(
        string name, ObjectInfo? found, Stream body, long maxBytes, ContentDigest expected, CancellationToken cancellationToken)
    {
        string staged = NewTemporary();
        long offset = found?.Length ?? 0;
        try
        {
            using FileStream file = new(staged, PrivateFiles.Options(FileMode.CreateNew, FileAccess.ReadWrite, PrivateFiles.ShareAll));
            long length = await StageAsync(file, body, maxBytes - offset, maxBytes, expected, cancellationToken).ConfigureAwait(false);
            if (offset > 0)
            {
                // All is here and right: from now on it is not the client's to cancel.
                file.Position = 0;
                return await AppendBlocksAsync(name, found, file, maxBytes, CancellationToken.None).ConfigureAwait(false);
            }
            DateTime stamp = NextStamp();
            File.SetLastWriteTimeUtc(file.SafeFileHandle, stamp);
            file.Flush(flushToDisk: true);
            file.Dispose();
            return new AppendResult(length, await PublishAsync(name, staged, stamp, cancellationToken).ConfigureAwait(false));
        }
        catch (IOException error) when (IsTransient(error))
        {
            // Not to be repeated: the body is used up, and a disk that failed to flush may have dropped what it said it had.
            throw Unavailable("the disk failed while it kept the body: send it again", error);
        }
        finally
        {
            File.Delete(staged); // Nothing there after a rename.
        }
    }

    /// <summary>Makes a staged file the object, unless that has bytes by now.</summary>
    private Task<string> PublishAsync(string name, string staged, DateTime stamp, CancellationToken cancellationToken)
    {
        WriteAttempt attempt = new();
        return TryAsync(
            async cancel =>
            {
                string path = PathOf(name);
                using (await locks.AcquireAsync(name, cancel).ConfigureAwait(false))
                {
                    if (attempt.ETag is null) return ObjectFile.Publish(staged, stamp, path, RequireEmpty, attempt);
                    FolderSync.Flush(ObjectFile.FolderOf(path));
                    return attempt.ETag;
                }
            },
            cancellationToken);

        static void RequireEmpty(FileInfo? stored)
        {
            if (stored is { Length: > 0 }) throw OffsetMismatch(0, stored.Length);
        }
    }

    private static async Task<long> StageAsync(
        FileStream file, Stream body, long room, long maxBytes, ContentDigest expected, CancellationToken cancellationToken)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(StageBytes);
        try
        {
            using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            long length = 0;
            for (int count; (count = await body.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0; length += count)
            {
                if (count > room - length) throw TooLarge(maxBytes);
                hash.AppendData(buffer, 0, count);
                file.Write(buffer, 0, count);
            }
            return expected.Equals(new ContentDigest(hash.GetHashAndReset())) ? length : throw DigestMismatch();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>The object's path, after making sure that no part of it is a symbolic link and no folder of it an object.</summary>
    private string PathOf(string name)
    {
        string path = root;
        string[] parts = name.Split('/');
        for (int i = 0; i < parts.Length; i++)
        {
            path = Path.Combine(path, parts[i]);
            FileInfo info = new(path);
            if (info.LinkTarget is not null) throw new StoreException(StoreError.BadName, "the name leads through a symbolic link");
            if (i < parts.Length - 1 && info.Exists) throw new StoreException(StoreError.BadName, "a part of the name is an object, not a folder");
        }
        return path;
    }

    private string NewTemporary() => Path.Combine(temporary, Guid.NewGuid().ToString("N"));

    /// <summary>Now, or a tick more than the last answer.</summary>
    private DateTime NextStamp()
    {
        long now = time.GetUtcNow().UtcTicks;
        while (true)
        {
            long last = Interlocked.Read(ref lastStamp);
            long next = Math.Max(now, last + 1);
            if (Interlocked.CompareExchange(ref lastStamp, next, last) == last) return new DateTime(next, DateTimeKind.Utc);
        }
    }

    private static void DeleteTree(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception error) when (error is DirectoryNotFoundException or FileNotFoundException)
        {
            // Somebody else is deleting the same leftovers; what they leave is collected later.
        }
    }

    /// <summary>Runs blocking file work off the caller's scheduler and gives a full disk its name.</summary>
    private static Task<T> RunAsync<T>(Func<Task<T>> work, CancellationToken cancellationToken) => Task.Run(async () =>
    {
        try
        {
            return await work().ConfigureAwait(false);
        }
        catch (IOException error) when (DiskErrors.IsFull(error))
        {
            throw DiskErrors.StorageFull(error);
        }
    }, cancellationToken);
}
