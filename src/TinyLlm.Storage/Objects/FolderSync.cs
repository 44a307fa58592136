using System.ComponentModel;
using System.Runtime.InteropServices;

namespace TinyLlm.Storage;

/// <summary>Makes a folder's entries durable: a file renamed into a folder survives a power loss only once the folder itself is flushed.</summary>
internal static partial class FolderSync
{
    private const int ReadOnly = 0;
    private const int NoSuchFolder = 2;
    private const int Interrupted = 4;
    private const int InvalidArgument = 22;

    /// <summary>Flushes the folder; does nothing on Windows, whose file system journals renames in order and opens no folders this way.</summary>
    public static void Flush(string folder)
    {
        if (OperatingSystem.IsWindows()) return;
        int descriptor = Retry(() => Open(folder, ReadOnly));
        if (descriptor < 0)
        {
            if (Marshal.GetLastPInvokeError() == NoSuchFolder) return; // Deleted meanwhile: nothing is left to be made durable.
            throw Failed();
        }
        try
        {
            // Some network file systems can't flush a folder and say so: then nothing more can be done.
            if (Retry(() => Sync(descriptor)) < 0 && Marshal.GetLastPInvokeError() != InvalidArgument) throw Failed();
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    private static int Retry(Func<int> call)
    {
        int result;
        do result = call();
        while (result < 0 && Marshal.GetLastPInvokeError() == Interrupted);
        return result;
    }

    private static IOException Failed()
    {
        int error = Marshal.GetLastPInvokeError();
        return new IOException("a folder of the store could not be flushed to disk", new Win32Exception(error)) { HResult = error };
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Sync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);
}
