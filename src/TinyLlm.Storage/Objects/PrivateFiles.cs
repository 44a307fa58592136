namespace TinyLlm.Storage;

/// <summary>Makes files (0600) and folders (0700) that only the account of the process can open, where the system has such modes.</summary>
internal static class PrivateFiles
{
    public const UnixFileMode FileModeBits = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    public const UnixFileMode FolderModeBits = FileModeBits | UnixFileMode.UserExecute;

    /// <summary>Everybody may open, replace and delete the file meanwhile, as Unix has it.</summary>
    public const FileShare ShareAll = FileShare.ReadWrite | FileShare.Delete;

    /// <summary>Unbuffered options; the mode applies when the file is made.</summary>
    public static FileStreamOptions Options(FileMode mode, FileAccess access, FileShare share)
    {
        FileStreamOptions options = new() { Mode = mode, Access = access, Share = share, BufferSize = 0 };
        if (!OperatingSystem.IsWindows() && mode is not FileMode.Open) options.UnixCreateMode = FileModeBits;
        return options;
    }

    /// <summary>Makes a folder and those above it, each durable before the next.</summary>
    public static void CreateFolder(string folder)
    {
        if (Directory.Exists(folder)) return;
        string parent = Path.GetDirectoryName(folder) ?? throw new IOException("the file system has no root folder");
        CreateFolder(parent);
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(folder);
        else Directory.CreateDirectory(folder, FolderModeBits);
        FolderSync.Flush(parent);
    }
}
