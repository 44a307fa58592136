using System.Security.Cryptography;
using System.Text;

namespace TinyLlm.Storage;

/// <summary>
/// A user's keys, unwrapped, as the user's grain holds them: the newest wraps the data keys of new versions, older ones are there while a rotation
/// is under way. Prints nothing of them.
/// </summary>
public sealed class UserKeys
{
    private readonly UserId owner;
    private readonly byte[][] keys;

    internal UserKeys(UserId owner, byte[][] keys, string? eTag)
    {
        this.owner = owner;
        this.keys = keys;
        ETag = eTag;
    }

    /// <summary>The id of the key that wraps from now on.</summary>
    public string CurrentId => KeyWrap.IdOf(keys[^1]);

    /// <summary>Keys at hand: more than one while a rotation is under way.</summary>
    public int Count => keys.Length;

    internal string? ETag { get; }

    /// <summary>A fresh data key for a version, and what is kept of it.</summary>
    public WrappedKey NewVersionKey(string model, VersionId version)
    {
        Span<byte> dataKey = stackalloc byte[KeyWrap.KeyBytes];
        RandomNumberGenerator.Fill(dataKey);
        WrappedKey wrapped = Wrap(dataKey, model, version);
        CryptographicOperations.ZeroMemory(dataKey);
        return wrapped;
    }

    /// <summary>A version's key, for a lease.</summary>
    /// <exception cref="StoreException">Damaged: it was changed, or is another user's, model's or version's.</exception>
    public VersionKey Open(WrappedKey wrapped, string model, VersionId version)
    {
        byte[]? userKey = keys.FirstOrDefault(key => KeyWrap.IdOf(key) == wrapped.By);
        byte[]? dataKey = userKey is null ? null : KeyWrap.TryUnwrap(userKey, wrapped.Bytes, VersionKey.Tuple(owner, model, version));
        if (dataKey is null) throw new StoreException(StoreError.Damaged, "the version's key is not as it was written, or the user's key that wraps it is gone");
        return new VersionKey(owner, model, version, dataKey);
    }

    /// <summary>The same data key, wrapped by the newest of these keys.</summary>
    public WrappedKey Rewrap(WrappedKey wrapped, string model, VersionId version) =>
        wrapped.By == CurrentId ? wrapped : Wrap(Open(wrapped, model, version).Reveal(), model, version);

    public override string ToString() => $"{keys.Length} keys of user {owner}";

    /// <summary>What a user's key is bound to in its envelope.</summary>
    internal static byte[] PurposeOf(UserId owner) => Encoding.UTF8.GetBytes($"tinyllm-user-key-v1 {owner}");

    internal static byte[] NewKey() => RandomNumberGenerator.GetBytes(KeyWrap.KeyBytes);

    /// <summary>These and a new, current one.</summary>
    internal byte[][] WithNew() => [.. keys, NewKey()];

    /// <summary>The current one alone.</summary>
    internal byte[][] CurrentOnly() => [keys[^1]];

    internal WrappedKey[] WrapAll(HostKeyRing host) => WrapAll(host, owner, keys);

    internal static WrappedKey[] WrapAll(HostKeyRing host, UserId owner, byte[][] keys) => [.. keys.Select(key => host.Wrap(key, PurposeOf(owner)))];

    private WrappedKey Wrap(ReadOnlySpan<byte> dataKey, string model, VersionId version) =>
        new(CurrentId, KeyWrap.Wrap(keys[^1], dataKey, VersionKey.Tuple(owner, model, version)));
}
