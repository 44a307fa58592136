using System.Formats.Tar;

namespace TinyLlm.Cli.Inspection;

/// <summary>
/// Files in folders that anybody may have filled. Whoever opens a pipe waits for its writer, whom no Ctrl-C calls, and a device may never end: both say that
/// they have no bytes, so what has none is looked at before it is opened.
/// </summary>
internal static class LocalFile
{
    /// <summary>A path from the command line, made absolute.</summary>
    public static string FullPath(string path) => path.Length > 0 ? Path.GetFullPath(path) : throw new UsageException("a path is empty: name a file or folder");

    /// <summary>Through a link: a model in a download cache is a folder of links.</summary>
    public static long Length(string path) => Target(path).Length;

    /// <summary>Refuses what has no content of its own: a folder, a pipe, a device.</summary>
    public static void Require(string path)
    {
        if (Directory.Exists(path)) throw new UsageException("it is a folder with the name of a file: rename it, or name the file in it");
        FileInfo target = Target(path);
        if (target.Length == 0 && !IsRegular(target.FullName)) throw new UsageException("it is no regular file but a pipe, a socket or a device, and was not opened: put a file there");
    }

    private static FileInfo Target(string path) => new(new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? path);

    /// <summary>Of all that .NET has, the writer of archives alone tells a pipe from a file without opening it.</summary>
    private static bool IsRegular(string path)
    {
        using MemoryStream archive = new();
        try
        {
            using TarWriter writer = new(archive, leaveOpen: true);
            writer.WriteEntry(path, "entry");
        }
        catch (IOException)
        {
            return false; // a socket, which no archive holds
        }
        archive.Position = 0;
        using TarReader reader = new(archive);
        return reader.GetNextEntry()?.EntryType == TarEntryType.RegularFile;
    }
}
