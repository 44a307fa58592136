using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;

namespace TinyLlm.SafeTensors;

/// <summary>
/// A validated file, mapped into memory: a tensor's bytes are the file's pages, without a copy. The bytes are aligned only as the file is:
/// writers pad the header to 8 bytes, but the format does not demand it.
/// The file must not change while it is mapped: what was validated would no longer hold, and the operating system answers the access to a page
/// that is gone by ending the process. Replace files by renaming, as <see cref="SafeTensorsWriter"/> does. Reading is safe from any thread; Dispose must be last.
/// </summary>
public sealed unsafe class SafeTensorsFile : IDisposable
{
    private readonly MemoryMappedFile _mapping;
    private readonly MemoryMappedViewAccessor _view;
    private byte* _start;
    private int _disposed;

    private SafeTensorsFile(MemoryMappedFile mapping, MemoryMappedViewAccessor view, byte* start, SafeTensorsHeader header)
    {
        _mapping = mapping;
        _view = view;
        _start = start;
        Header = header;
    }

    /// <summary>What the file holds.</summary>
    public SafeTensorsHeader Header { get; }

    /// <summary>Maps a file and checks it by every rule.</summary>
    /// <exception cref="SafeTensorsException">
    /// Any rule broken, with the file's bare name; FileMissing, NotAFile and FileUnreadable (the cause is the inner exception) included.
    /// </exception>
    public static SafeTensorsFile Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            return Map(path);
        }
        catch (SafeTensorsException refused)
        {
            throw refused.InFile(path);
        }
    }

    /// <summary>The tensor's bytes, valid until <see cref="Dispose"/>.</summary>
    /// <exception cref="SafeTensorsException">TensorNotInFile, or TensorTooLargeForSpan: use <see cref="GetPointer"/>.</exception>
    public ReadOnlySpan<byte> GetBytes(TensorInfo tensor)
    {
        byte* pointer = GetPointer(tensor);
        if (tensor.ByteCount <= int.MaxValue) return new ReadOnlySpan<byte>(pointer, (int)tensor.ByteCount);
        throw Refusal.OfTensor(
            tensor.Name, SafeTensorsError.TensorTooLargeForSpan,
            $"has {tensor.ByteCount} bytes, and a span holds {int.MaxValue}: read it by pointer");
    }

    /// <summary>
    /// The first of the tensor's <see cref="TensorInfo.ByteCount"/> bytes, valid until <see cref="Dispose"/>, for tensors of any size.
    /// </summary>
    /// <exception cref="SafeTensorsException">TensorNotInFile.</exception>
    public byte* GetPointer(TensorInfo tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        ObjectDisposedException.ThrowIf(_start is null, this);
        if (Header.TryGet(tensor.Name, out TensorInfo? own) && own.Begin == tensor.Begin && own.End == tensor.End)
            return _start + Header.DataOffset + tensor.Begin;
        throw Refusal.OfTensor(
            tensor.Name, SafeTensorsError.TensorNotInFile,
            $"at [{tensor.Begin}, {tensor.End}] it is none of this file's {Header.Tensors.Length}: take it from this file's header");
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
        _start = null;
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _mapping.Dispose();
    }

    private static SafeTensorsFile Map(string path)
    {
        // 1. The file and its length; a mapping cannot be empty, so what is too short ends here.
        if (Directory.Exists(path)) throw Refusal.Of(SafeTensorsError.NotAFile, "this is a directory, and must be 1 file: name the file in it");
        using SafeFileHandle handle = OpenHandle(path);
        long length = Guard(() => RandomAccess.GetLength(handle));
        if (length < SafeTensorsLimits.PrefixBytes) SafeTensorsHeader.ParsePrefix(new byte[length], length);

        // 2. The mapping. It keeps the pages alive; the handle is no longer needed after it.
        MemoryMappedFile? mapping = null;
        MemoryMappedViewAccessor? view = null;
        byte* start = null;
        try
        {
            mapping = Guard(() => MemoryMappedFile.CreateFromFile(
                handle, null, length, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true));
            view = Guard(() => mapping.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read));
            view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);

            // 3. The header, read where it lies.
            int headerBytes = SafeTensorsHeader.ParsePrefix(new ReadOnlySpan<byte>(start, SafeTensorsLimits.PrefixBytes), length);
            SafeTensorsHeader header = SafeTensorsHeader.Parse(new ReadOnlySpan<byte>(start + SafeTensorsLimits.PrefixBytes, headerBytes), length);
            return new SafeTensorsFile(mapping, view, start, header);
        }
        catch
        {
            if (start is not null) view?.SafeMemoryMappedViewHandle.ReleasePointer();
            view?.Dispose();
            mapping?.Dispose();
            throw;
        }
    }

    private static SafeFileHandle OpenHandle(string path)
    {
        try
        {
            return Guard(() => File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read));
        }
        catch (SafeTensorsException refused) when (refused.InnerException is FileNotFoundException or DirectoryNotFoundException)
        {
            throw Refusal.Of(SafeTensorsError.FileMissing, "there is no file of that name: put it there, or correct the name");
        }
    }

    private static T Guard<T>(Func<T> operation)
    {
        try
        {
            return operation();
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new SafeTensorsException(
                SafeTensorsError.FileUnreadable,
                $"the operating system refused the file (0x{cause.HResult:x8}): check its permissions and its kind",
                cause: cause);
        }
    }
}
