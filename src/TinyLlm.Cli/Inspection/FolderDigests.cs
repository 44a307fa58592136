using System.Collections.Immutable;
using TinyLlm.Storage;

namespace TinyLlm.Cli.Inspection;

/// <summary>Every file below a folder with its digest, as a signature names them: paths with '/'.</summary>
internal static class FolderDigests
{
    /// <summary>Hashes all files but <paramref name="except"/>, which is a full path. A link is an error: it is not clear what was signed.</summary>
    public static async Task<ImmutableArray<SignedFile>> ReadAsync(string folder, string except, CancellationToken cancellationToken)
    {
        ImmutableArray<SignedFile>.Builder files = ImmutableArray.CreateBuilder<SignedFile>();
        await AddAsync(folder, "", except, files, cancellationToken);
        return files.ToImmutable();
    }

    private static async Task AddAsync(string folder, string prefix, string except, ImmutableArray<SignedFile>.Builder files, CancellationToken cancellationToken)
    {
        foreach (FileSystemInfo entry in new DirectoryInfo(folder).EnumerateFileSystemInfos().OrderBy(entry => entry.Name, StringComparer.Ordinal))
        {
            if (entry.FullName == except) continue;
            if (entry.LinkTarget is not null) throw new UsageException($"'{prefix}{entry.Name}' is a symbolic link, and signatures cover files alone: put the file there");
            if (entry is DirectoryInfo)
            {
                if (prefix.Length > 0 || entry.Name is not ".git") await AddAsync(entry.FullName, $"{prefix}{entry.Name}/", except, files, cancellationToken);
                continue;
            }
            try
            {
                LocalFile.Require(entry.FullName);
            }
            catch (UsageException refusal)
            {
                throw new UsageException($"'{prefix}{entry.Name}': {refusal.Message}");
            }
            await using FileStream stream = File.OpenRead(entry.FullName);
            files.Add(new SignedFile($"{prefix}{entry.Name}", await ContentDigest.ComputeAsync(stream, cancellationToken)));
        }
    }
}
