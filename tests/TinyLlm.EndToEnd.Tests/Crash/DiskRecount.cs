namespace TinyLlm.EndToEnd.Tests.Crash;

/// <summary>What really lies in a host's data folder, counted file by file.</summary>
internal sealed record DiskRecount(long[] BytesOfOwners, int Versions, string[] Temporary)
{
    /// <summary>What the host adds to a model's files.</summary>
    private static readonly string[] HostFiles = ["manifest.json", "host.sig"];

    public static DiskRecount Of(string dataFolder)
    {
        string models = Path.Combine(dataFolder, "objects", "models");
        string[] versions = [.. Directory.EnumerateDirectories(models).SelectMany(Directory.EnumerateDirectories).Where(folder => Directory.EnumerateFileSystemEntries(folder).Any())];
        long[] owners = [.. versions.GroupBy(Path.GetDirectoryName, BytesOf).Select(owner => owner.Sum()).Order()];
        string[] temporary = [.. new[] { "objects", "grainstate", "envelopes" }.SelectMany(store => Directory.EnumerateFileSystemEntries(Path.Combine(dataFolder, store, ".tmp")))];
        return new DiskRecount(owners, versions.Length, temporary);
    }

    private static long BytesOf(string version) =>
        new DirectoryInfo(version).EnumerateFiles().Where(file => !HostFiles.Contains(file.Name)).Sum(file => file.Length);
}
