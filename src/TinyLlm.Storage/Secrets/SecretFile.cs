using System.Security.Cryptography;
using System.Text;

namespace TinyLlm.Storage;

/// <summary>One secret per file, mode 0600, made once and never changed: of two that make it at the same time one wins, and both read the winner's.</summary>
public static class SecretFile
{
    private const int MaxBytes = 64 << 10;

    private const string LeftoverPattern = ".*.secret-tmp";

    private const UnixFileMode Others =
        UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    /// <summary>The text in the file (without white space around it), after writing <paramref name="create"/>'s when there is no file.</summary>
    /// <exception cref="StoreException">Damaged: the file is empty or far too long. BadName: it is a symbolic link.</exception>
    public static Secret ReadOrCreate(string path, Func<string> create)
    {
        path = Path.GetFullPath(path);
        FileInfo file = new(path);
        if (file.LinkTarget is not null) throw new StoreException(StoreError.BadName, $"the secret file '{file.Name}' is a symbolic link: put the file itself there");
        if (file.Exists) return Read(file);
        string secret = create();
        if (string.IsNullOrWhiteSpace(secret)) throw new ArgumentException("a secret must not be empty", nameof(create));
        string folder = Path.GetDirectoryName(path) ?? throw new ArgumentException("the path has no folder", nameof(path));
        PrivateFiles.CreateFolder(folder);
        return Write(path, folder, secret) ? new Secret(secret.Trim(), SecretOrigin.Created) : Read(new FileInfo(path));
    }

    /// <summary>A key of <paramref name="byteCount"/> bytes, kept as hex, drawn from the system's random source when there is no file.</summary>
    /// <exception cref="StoreException">Damaged: the file holds something else.</exception>
    public static byte[] ReadOrCreateKey(string path, int byteCount, out SecretOrigin origin)
    {
        Secret secret = ReadOrCreate(path, () => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(byteCount)));
        origin = secret.Origin;
        byte[] key = new byte[byteCount];
        bool whole = secret.Value.Length == 2 * byteCount
            && Convert.FromHexString(secret.Value, key, out _, out _) == System.Buffers.OperationStatus.Done;
        return whole ? key : throw Damaged(Path.GetFileName(path), $"it must hold {2 * byteCount} hex digits");
    }

    /// <summary>Removes what a crash while writing a secret left in the folder. Only for who holds the folder alone.</summary>
    internal static void RemoveLeftovers(string folder)
    {
        if (!Directory.Exists(folder)) return;
        foreach (string leftover in Directory.EnumerateFiles(folder, LeftoverPattern)) File.Delete(leftover);
    }

    private static Secret Read(FileInfo file)
    {
        if (file.Length > MaxBytes) throw Damaged(file.Name, $"it has {file.Length} bytes, at most {MaxBytes} make sense");
        string value = File.ReadAllText(file.FullName, Encoding.UTF8).Trim();
        if (value.Length == 0) throw Damaged(file.Name, "it is empty: remove it to have a new secret made");
        bool open = !OperatingSystem.IsWindows() && (File.GetUnixFileMode(file.FullName) & Others) != 0;
        return new Secret(value, open ? SecretOrigin.ExistingReadableByOthers : SecretOrigin.Existing);
    }

    /// <summary>Writes the secret aside, durable, then gives it its name unless one is there. The name never shows half a secret.</summary>
    private static bool Write(string path, string folder, string secret)
    {
        string temporary = Path.Combine(folder, $".{Guid.NewGuid():N}.secret-tmp");
        try
        {
            using (FileStream file = new(temporary, PrivateFiles.Options(FileMode.CreateNew, FileAccess.Write, FileShare.None)))
            {
                file.Write(Encoding.UTF8.GetBytes(secret.Trim() + "\n"));
                file.Flush(flushToDisk: true);
            }
            if (!ExclusiveMove.TryMove(temporary, path)) return false;
            FolderSync.Flush(folder);
            return true;
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    private static StoreException Damaged(string name, string why) => new(StoreError.Damaged, $"the secret file '{name}' can't be used: {why}");
}
