namespace TinyLlm.EndToEnd.Tests.Crash;

/// <summary>What really lies in a host's data folder, counted file by file.</summary>
internal sealed record DiskRecount(long[] BytesOfOwners, int Versions, string[] Temporary)
{
    private const string Manifest = "manifest.json";

    public static DiskRecount Of(string dataFolder)
    {
        string models = Path.Combine(dataFolder, "objects", "models");
        string[] versions = [.. Directory.EnumerateDirectories(models).SelectMany(Directory.EnumerateDirectories).Where(folder => Directory.EnumerateFileSystemEntries(folder).Any())];
        long[] owners = [.. versions.GroupBy(Path.GetDirectoryName, BytesOf).Select(owner => owner.Sum()).Order()];
        string[] temporary = [.. new[] { "objects", "grainstate" }.SelectMany(store => Directory.EnumerateFileSystemEntries(Path.Combine(dataFolder, store, ".tmp")))];
        return new DiskRecount(owners, versions.Length, temporary);
    }

    /// <summary>The files of a model; its manifest is the host's own.</summary>
    private static long BytesOf(string version) =>
        new DirectoryInfo(version).EnumerateFiles().Where(file => file.Name != Manifest).Sum(file => file.Length);
}
