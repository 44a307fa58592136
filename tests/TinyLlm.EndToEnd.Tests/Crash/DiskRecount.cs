namespace TinyLlm.EndToEnd.Tests.Crash;

/// <summary>What really lies in a host's data folder, counted file by file.</summary>
internal sealed record DiskRecount(long[] BytesOfOwners, int Versions, string[] Temporary)
{
    /// <summary>What the host adds to a model's files.</summary>
    private static readonly string[] HostFiles = ["manifest.json", "host.sig"];

    /// <summary>The count; null when something was removed while it was made.</summary>
    public static DiskRecount? TryCount(string dataFolder)
    {
        try
        {
            return Count(dataFolder);
        }
        catch (Exception exception) when (exception is DirectoryNotFoundException or FileNotFoundException)
        {
            return null; // the collector is at work
        }
    }

    private static DiskRecount Count(string dataFolder)
    {
        string models = Path.Combine(dataFolder, "objects", "models");
        string[] versions = [.. Directory.EnumerateDirectories(models).SelectMany(Directory.EnumerateDirectories).Where(folder => Directory.EnumerateFileSystemEntries(folder).Any())];
        long[] owners = [.. versions.GroupBy(Path.GetDirectoryName, BytesOf).Select(owner => owner.Sum()).Order()];
        string[] ofUploads = [.. versions.Where(version => File.Exists(Path.Combine(version, HostFiles[0]))).SelectMany(Directory.EnumerateFiles).Where(IsForUploadOnly)];
        string[] temporary = [.. ofUploads, .. new[] { "objects", "grainstate", "envelopes" }.SelectMany(store => Directory.EnumerateFileSystemEntries(Path.Combine(dataFolder, store, ".tmp")))];
        return new DiskRecount(owners, versions.Length, temporary);
    }

    private static long BytesOf(string version) =>
        new DirectoryInfo(version).EnumerateFiles().Where(file => !HostFiles.Contains(file.Name)).Sum(PlainLength);

    private static bool IsForUploadOnly(string file) => file.EndsWith(".tail", StringComparison.Ordinal) || file.EndsWith(".part", StringComparison.Ordinal);

    /// <summary>An encrypted file has 56 bytes before its chunks of 16 KiB, and 16 more with each, of which the last is shorter and may be empty.</summary>
    private static long PlainLength(FileInfo file)
    {
        const int header = 56, chunk = 16 << 10, tag = 16;
        if (!file.Name.EndsWith(".sealed", StringComparison.Ordinal)) return file.Length;
        (long chunks, long last) = Math.DivRem(file.Length - header, chunk + tag);
        return (chunks * chunk) + last - tag;
    }
}
