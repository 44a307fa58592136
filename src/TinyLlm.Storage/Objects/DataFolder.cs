namespace TinyLlm.Storage;

/// <summary>
/// The folder of a host that keeps its data in files, locked for one process at a time:
/// <c>grainstate/</c>, <c>objects/</c> and <c>envelopes/</c> are stores, <c>keys/</c> holds key files, <c>admin-token</c> the operator's token. Dispose it last.
/// </summary>
public sealed class DataFolder : IDisposable
{
    /// <summary>The container of grain state, as the official Azure provider names it.</summary>
    public const string GrainStateContainer = "grainstate";

    /// <summary>The container of everything else.</summary>
    public const string ObjectsContainer = "objects";

    /// <summary>The container of users' wrapped keys: what is deleted there must be gone, so it has neither soft delete nor versions.</summary>
    public const string KeyEnvelopesContainer = "envelopes";

    private const string LockFile = ".lock";
    private const string KeysFolder = "keys";
    private const string AdminTokenFile = "admin-token";

    private readonly FileStream held;

    private readonly string? sharedKeys;

    private DataFolder(string path, string? sharedKeys, FileStream held, TimeProvider time)
    {
        this.held = held;
        this.sharedKeys = sharedKeys;
        FullPath = path;
        GrainState = OpenStore(Path.Combine(path, GrainStateContainer), time);
        Objects = OpenStore(Path.Combine(path, ObjectsContainer), time);
        KeyEnvelopes = OpenStore(Path.Combine(path, KeyEnvelopesContainer), time);
    }

    public string FullPath { get; }

    public ObjectStore GrainState { get; }

    public ObjectStore Objects { get; }

    public ObjectStore KeyEnvelopes { get; }

    public string AdminTokenPath => Path.Combine(sharedKeys ?? FullPath, AdminTokenFile);

    /// <summary>Makes the folder (0700) when it isn't there and locks it until it is disposed or the process ends.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="time">The stores' clock.</param>
    /// <param name="sharedKeys">Where keys and admin token lie instead, for processes that have the same ones. It is not locked.</param>
    /// <exception cref="StoreException">FolderInUse.</exception>
    public static DataFolder Open(string path, TimeProvider time, string? sharedKeys = null)
    {
        path = Path.GetFullPath(path);
        sharedKeys = sharedKeys is null ? null : Path.GetFullPath(sharedKeys);
        PrivateFiles.CreateFolder(path);
        FileStream held;
        try
        {
            held = new FileStream(
                Path.Combine(path, LockFile), PrivateFiles.Options(FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException error) when (DiskErrors.IsLocked(error))
        {
            throw new StoreException(
                StoreError.FolderInUse, $"the data folder '{path}' is in use by another host: stop that one, or give this one its own with --data DIR", error);
        }
        try
        {
            SecretFile.RemoveLeftovers(path);
            SecretFile.RemoveLeftovers(Path.Combine(path, KeysFolder));
            return new DataFolder(path, sharedKeys, held, time);
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>The folder of key files.</summary>
    public string KeysPath => sharedKeys ?? Path.Combine(FullPath, KeysFolder);

    /// <summary>Where the key file of this name lies; for <see cref="SecretFile"/>.</summary>
    public string KeyPath(string name) => PathPart.IsSafe(name)
        ? Path.Combine(KeysPath, name)
        : throw new StoreException(StoreError.BadName, "not the name of a key file");

    /// <summary>The folder is ours alone: what lies half written in it was left by a host that died.</summary>
    private static FileObjectStore OpenStore(string path, TimeProvider time)
    {
        FileObjectStore store = new(path, time);
        store.RemoveLeftovers();
        return store;
    }

    public void Dispose() => held.Dispose();
}
