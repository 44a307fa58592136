using System.Globalization;

namespace TinyLlm.Storage;

/// <summary>
/// The host's keys, which wrap the users' keys: files <c>host-1</c>, <c>host-2</c>, ... of 64 hex digits in the folder of keys, mode 0600. The highest
/// number is current; the others are there until a rotation has rewrapped all that they wrap. Only processes of the core role open it.
/// Never prints a key.
/// </summary>
public sealed class HostKeyRing
{
    private const string Prefix = "host-";

    private readonly Lock gate = new();
    private readonly string folder;
    private SortedList<int, byte[]> keys = [];

    private HostKeyRing(string folder) => this.folder = folder;

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
    public static HostKeyRing Open(string folder)
    {
        HostKeyRing ring = new(folder);
        ring.Reload();
        if (ring.Count == 0) ring.Add();
        return ring;
    }

    /// <summary>Wraps with the current key, as the folder says now: another process may have made a new one.</summary>
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
                ?? throw new StoreException(StoreError.Damaged, $"host key {wrapped.By} is not in the folder of keys: put its file back, nothing else opens what it wraps");
        }
        return KeyWrap.TryUnwrap(hostKey, wrapped.Bytes, purpose)
            ?? throw new StoreException(StoreError.Damaged, "a user's key envelope is not as it was written");
    }

    /// <summary>Makes a new key, current from now on.</summary>
    internal void Add()
    {
        lock (gate)
        {
            int next = keys.Count == 0 ? 1 : keys.GetKeyAtIndex(keys.Count - 1) + 1;
            SecretFile.ReadOrCreateKey(PathOf(next), KeyWrap.KeyBytes, out _); // of two processes that do it at once both get the same one
            Reload();
        }
    }

    /// <summary>Destroys every key but the current one. Only after nothing is wrapped by them.</summary>
    internal void RemoveOld()
    {
        lock (gate)
        {
            Reload();
            foreach (int number in keys.Keys.Take(keys.Count - 1).ToArray()) File.Delete(PathOf(number));
            FolderSync.Flush(folder);
            Reload();
        }
    }

    private void Reload()
    {
        lock (gate)
        {
            SortedList<int, byte[]> read = [];
            if (Directory.Exists(folder))
            {
                foreach (string path in Directory.EnumerateFiles(folder, Prefix + "*"))
                {
                    if (int.TryParse(Path.GetFileName(path)[Prefix.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out int number))
                        read[number] = SecretFile.ReadOrCreateKey(path, KeyWrap.KeyBytes, out _);
                }
            }
            keys = read;
        }
    }

    private byte[] Current()
    {
        lock (gate) return keys.GetValueAtIndex(keys.Count - 1);
    }

    private byte[]? Find(string id)
    {
        lock (gate) return keys.Values.FirstOrDefault(key => KeyWrap.IdOf(key) == id);
    }

    private string PathOf(int number) => Path.Combine(folder, $"{Prefix}{number.ToString(CultureInfo.InvariantCulture)}");
}
