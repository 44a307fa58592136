namespace TinyLlm.Storage;

/// <summary>
/// The host's keys, which wrap the users' keys. One is current; the others are there until a rotation has rewrapped all that they wrap. Only processes of the
/// core role open it. Never prints a key.
/// </summary>
public sealed class HostKeyRing
{
    private readonly Lock gate = new();
    private readonly HostKeySource source;
    private IReadOnlyList<byte[]> keys;

    private HostKeyRing(HostKeySource source)
    {
        this.source = source;
        keys = source.Read();
    }

    /// <summary>The id of the key that wraps from now on.</summary>
    public string CurrentId => KeyWrap.IdOf(Current());

    /// <summary>Keys at hand, the current one included.</summary>
    public int Count
    {
        get
        {
            lock (gate) return keys.Count;
        }
    }

    /// <summary>Reads the folder's host keys; makes the first one where there is none.</summary>
    /// <exception cref="StoreException">Damaged: a key file holds something else.</exception>
    public static HostKeyRing Open(string folder) => Open(new HostKeyFolder(folder));

    /// <summary>Reads the keys of any place.</summary>
    /// <exception cref="StoreException">Damaged: a key is something else.</exception>
    public static HostKeyRing Open(HostKeySource source) => new(source);

    /// <summary>Wraps with the current key, as its place says now: another process may have made a new one.</summary>
    internal WrappedKey Wrap(ReadOnlySpan<byte> key, ReadOnlySpan<byte> purpose)
    {
        Reload();
        byte[] current = Current();
        return new WrappedKey(KeyWrap.IdOf(current), KeyWrap.Wrap(current, key, purpose));
    }

    /// <exception cref="StoreException">Damaged: the key that wrapped it isn't here, or the bytes were changed.</exception>
    internal byte[] Unwrap(WrappedKey wrapped, ReadOnlySpan<byte> purpose)
    {
        byte[]? hostKey = Find(wrapped.By);
        if (hostKey is null)
        {
            Reload();
            hostKey = Find(wrapped.By)
                ?? throw new StoreException(StoreError.Damaged, $"host key {wrapped.By} is not among the host's keys: put it back, nothing else opens what it wraps");
        }
        return KeyWrap.TryUnwrap(hostKey, wrapped.Bytes, purpose)
            ?? throw new StoreException(StoreError.Damaged, "a user's key envelope is not as it was written");
    }

    /// <summary>Makes a new key current from now on.</summary>
    internal void Add()
    {
        lock (gate)
        {
            source.Add();
            keys = source.Read();
        }
    }

    /// <summary>Destroys every key but the current one. Only after nothing is wrapped by them.</summary>
    internal void RemoveOld()
    {
        lock (gate)
        {
            source.RemoveOld();
            keys = source.Read();
        }
    }

    private void Reload()
    {
        lock (gate) keys = source.Read();
    }

    private byte[] Current()
    {
        lock (gate) return keys[^1];
    }

    private byte[]? Find(string id)
    {
        lock (gate) return keys.FirstOrDefault(key => KeyWrap.IdOf(key) == id);
    }
}
