using Microsoft.Win32.SafeHandles;

namespace TinyLlm.Storage;

/// <summary>
/// One object's file: reading it with its ETag, replacing it, and adding a block to it. The ETag is the modification time and the length; every change
/// sets a time later than the one before. Knows no names and takes no locks: whoever changes a file here holds its lock.
/// </summary>
internal static class ObjectFile
{
    /// <summary>The file as it is now; null when there is none.</summary>
    public static FileInfo? Stat(string path)
    {
        FileInfo file = new(path);
        return file.Exists ? file : null;
    }

    /// <summary>
    /// Gives a finished temporary file its name. Call it under the object's lock. <paramref name="attempt"/> learns the ETag as soon as the file has
    /// its name, for a repeat after the folder could not be flushed.
    /// </summary>
    public static string Publish(string source, DateTime stamp, string path, Action<FileInfo?> check, WriteAttempt attempt)
    {
        while (true)
        {
            FileInfo? stored = Stat(path);
            check(stored);
            RequireNoFolder(path);
            PrivateFiles.CreateFolder(FolderOf(path));
            if (stored is not null && stamp <= stored.LastWriteTimeUtc)
            {
                using SafeFileHandle handle = File.OpenHandle(source, FileMode.Open, FileAccess.ReadWrite, PrivateFiles.ShareAll);
                Stamp(handle, stamp, stored.LastWriteTimeUtc);
                RandomAccess.FlushToDisk(handle);
            }
            string eTag = ETagOf(new FileInfo(source));
            try
            {
                File.Move(source, path, overwrite: true);
            }
            catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException && File.Exists(source))
            {
                continue; // The folder was deleted between the two steps: look again.
            }
            attempt.ETag = eTag;
            FolderSync.Flush(FolderOf(path));
            return eTag;
        }
    }

    /// <summary>
    /// Writes one block at <paramref name="offset"/>, the end of the file that has <paramref name="eTag"/> (null: of none, it is made), and flushes it.
    /// Call it under the object's lock.
    /// </summary>
    public static AppendResult WriteBlock(string path, long offset, string? eTag, ReadOnlySpan<byte> block, DateTime stamp)
    {
        bool exists = Stat(path) is not null;
        if (!exists && eTag is not null) throw ObjectStore.OffsetMismatch(offset, 0);
        RequireNoFolder(path);
        PrivateFiles.CreateFolder(FolderOf(path));
        FileStreamOptions options = PrivateFiles.Options(exists ? FileMode.Open : FileMode.CreateNew, FileAccess.ReadWrite, PrivateFiles.ShareAll);
        FileStream opened;
        try
        {
            opened = new FileStream(path, options);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            return WriteBlock(path, offset, eTag, block, stamp); // The folder was deleted between the two steps: look again.
        }
        using FileStream file = opened;
        SafeFileHandle handle = file.SafeFileHandle;
        long length = RandomAccess.GetLength(handle);
        DateTime previous = File.GetLastWriteTimeUtc(handle);
        if (exists && ETagOf(previous, length) != eTag) throw ObjectStore.OffsetMismatch(offset, length);
        try
        {
            RandomAccess.Write(handle, block, offset);
            Stamp(handle, stamp, exists ? previous : null);
            RandomAccess.FlushToDisk(handle);
            if (!exists) FolderSync.Flush(FolderOf(path));
        }
        catch
        {
            // The block is whole or not there, so that a repeat finds what this attempt found. When even this fails, the next append goes on from the longer length.
            if (exists)
            {
                RandomAccess.SetLength(handle, offset);
                File.SetLastWriteTimeUtc(handle, previous);
            }
            else
            {
                File.Delete(path);
            }
            throw;
        }
        return new AppendResult(offset + block.Length, ETagOf(File.GetLastWriteTimeUtc(handle), offset + block.Length));
    }

    /// <summary>The file's bytes and ETag as they were at one moment; null when there is no file.</summary>
    public static StoredObject? ReadWhole(string path, CancellationToken cancellationToken)
    {
        while (Stat(path) is not null)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                using SafeFileHandle handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, PrivateFiles.ShareAll);
                string eTag = ETagOf(File.GetLastWriteTimeUtc(handle), RandomAccess.GetLength(handle));
                long length = RandomAccess.GetLength(handle);
                if (length > ObjectStore.MaxSmallObjectBytes) throw ObjectStore.TooLarge(ObjectStore.MaxSmallObjectBytes);
                byte[] bytes = new byte[length];
                int read = 0;
                for (int count; read < bytes.Length && (count = RandomAccess.Read(handle, bytes.AsSpan(read), read)) > 0;) read += count;

                // A file that is being appended to may have changed meanwhile; one that was replaced has not.
                if (read == length && eTag == ETagOf(File.GetLastWriteTimeUtc(handle), RandomAccess.GetLength(handle))) return new StoredObject(bytes, eTag);
            }
            catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
            {
                return null;
            }
        }
        return null;
    }

    /// <summary>Reads from <paramref name="offset"/> on, a full buffer at a time until the file ends; false when there is no file.</summary>
    public static bool TryReadPieces(
        string path, long offset, long count, Span<byte> buffer, Action<ReadOnlySpan<byte>> take, CancellationToken cancellationToken)
    {
        using SafeFileHandle? handle = OpenToRead(path);
        if (handle is null) return false;
        while (count > 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Span<byte> room = buffer[..(int)Math.Min(buffer.Length, count)];
            int filled = 0;
            for (int read; filled < room.Length && (read = RandomAccess.Read(handle, room[filled..], offset + filled)) > 0;) filled += read;
            if (filled > 0) take(room[..filled]);
            if (filled < room.Length) break;
            offset += filled;
            count -= filled;
        }
        return true;
    }

    public static ObjectInfo InfoOf(string name, FileInfo file) => new(name, file.Length, ETagOf(file), file.LastWriteTimeUtc);

    public static string ETagOf(FileInfo file) => ETagOf(file.LastWriteTimeUtc, file.Length);

    public static string FolderOf(string path) => Path.GetDirectoryName(path) ?? throw new IOException("an object's path has no folder");

    /// <summary>Sets a modification time that is later than <paramref name="previous"/>, also where the file system keeps time coarsely.</summary>
    private static void Stamp(SafeFileHandle handle, DateTime stamp, DateTime? previous)
    {
        if (previous is { } before && stamp <= before) stamp = before.AddTicks(1);
        File.SetLastWriteTimeUtc(handle, stamp);
        if (previous is { } earlier && File.GetLastWriteTimeUtc(handle) <= earlier) File.SetLastWriteTimeUtc(handle, earlier.AddSeconds(2));
    }

    private static SafeFileHandle? OpenToRead(string path)
    {
        try
        {
            return File.OpenHandle(path, FileMode.Open, FileAccess.Read, PrivateFiles.ShareAll);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException || Directory.Exists(path))
        {
            return null;
        }
    }

    private static string ETagOf(DateTime stamp, long length) => $"{stamp.Ticks:x}-{length:x}";

    private static void RequireNoFolder(string path)
    {
        if (Directory.Exists(path)) throw new StoreException(StoreError.BadName, "the name is that of a folder of objects");
    }
}
