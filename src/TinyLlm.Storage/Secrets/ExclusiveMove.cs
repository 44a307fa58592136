using System.Runtime.InteropServices;

namespace TinyLlm.Storage;

/// <summary>
/// Gives a file a name that nothing has yet, as one step. On Unix <see cref="File.Move(string, string)"/> looks first and renames then, so of two
/// callers the later one wins; link(2) fails instead. Windows does it in one step by itself.
/// </summary>
internal static partial class ExclusiveMove
{
    private const int AlreadyExists = 17;

    /// <summary>False when the name is taken; the source stays then.</summary>
    public static bool TryMove(string source, string path)
    {
        if (!OperatingSystem.IsWindows() && Link(source, path) == 0)
        {
            File.Delete(source);
            return true;
        }
        if (!OperatingSystem.IsWindows() && Marshal.GetLastPInvokeError() == AlreadyExists) return false;
        try
        {
            // Windows, or a file system without hard links.
            File.Move(source, path, overwrite: false);
            return true;
        }
        catch (IOException) when (File.Exists(path))
        {
            return false;
        }
    }

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Link(string source, string path);
}
