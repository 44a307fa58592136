namespace TinyLlm.Storage;

/// <summary>The objects of one folder of a file store, and the folders in it: as much of a listing as is read, and repeated, in one access.</summary>
internal static class FolderListing
{
    private static readonly EnumerationOptions Options = new() { AttributesToSkip = FileAttributes.ReparsePoint, IgnoreInaccessible = false };

    /// <summary>Nothing where the folder is gone.</summary>
    public static (List<ObjectInfo> Objects, List<string> Folders) Read(string root, string folder)
    {
        (List<ObjectInfo> objects, List<string> folders) = ([], []);
        if (!Directory.Exists(folder)) return (objects, folders);
        try
        {
            foreach (FileSystemInfo entry in new DirectoryInfo(folder).EnumerateFileSystemInfos("*", Options))
            {
                string name = Path.GetRelativePath(root, entry.FullName).Replace(Path.DirectorySeparatorChar, '/');
                if (entry is DirectoryInfo) folders.Add(entry.FullName);
                else if (ObjectName.IsValid(name) && ObjectFile.Stat(entry.FullName) is { } file) objects.Add(ObjectFile.InfoOf(name, file));
            }
        }
        catch (DirectoryNotFoundException)
        {
            // It was deleted between the two steps.
        }
        return (objects, folders);
    }
}
