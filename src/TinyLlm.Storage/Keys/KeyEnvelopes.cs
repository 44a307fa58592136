using System.Text.Json;
using System.Text.Json.Serialization;

namespace TinyLlm.Storage;

/// <summary>
/// Where users' keys lie: one small object <c>keys/{user}</c> each, wrapped by the host's key, in a store of their own that keeps nothing that is
/// deleted (no soft delete, no versions, no backup beyond what the operator promises). Destroying the object makes everything that the user
/// ever stored encrypted unreadable. Knows nothing of versions.
/// </summary>
public sealed class KeyEnvelopes(ObjectStore store, HostKeyRing host)
{
    private const string Root = "keys";

    /// <summary>A lost race is repeated; so many in a row mean that something else is wrong.</summary>
    private const int MaxAttempts = 8;

    /// <summary>The id of the host key that wraps now.</summary>
    public string HostKeyId => host.CurrentId;

    /// <summary>The user's keys; null when there are none: never made, or destroyed.</summary>
    /// <exception cref="StoreException">Damaged.</exception>
    public async Task<UserKeys?> FindAsync(UserId user, CancellationToken cancellationToken) =>
        await store.GetAsync(NameOf(user), cancellationToken).ConfigureAwait(false) is { } stored ? Open(user, stored) : null;

    /// <summary>The user's keys, made when there are none.</summary>
    public async Task<UserKeys> GetOrCreateAsync(UserId user, CancellationToken cancellationToken)
    {
        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            if (await FindAsync(user, cancellationToken).ConfigureAwait(false) is { } keys) return keys;
            if (await TryPutAsync(user, [UserKeys.NewKey()], PutCondition.IfAbsent, cancellationToken).ConfigureAwait(false) is { } made) return made;
        }
        throw Contended();
    }

    /// <summary>Adds a new key to the user's, current from then on; the older ones stay until <see cref="RemoveOldAsync"/>.</summary>
    public async Task<UserKeys> AddAsync(UserId user, CancellationToken cancellationToken)
    {
        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            UserKeys keys = await GetOrCreateAsync(user, cancellationToken).ConfigureAwait(false);
            if (await TryPutAsync(user, keys.WithNew(), PutCondition.IfMatch(keys.ETag!), cancellationToken).ConfigureAwait(false) is { } put) return put;
        }
        throw Contended();
    }

    /// <summary>Destroys all of the user's keys but the current one. Only after nothing is wrapped by them.</summary>
    public async Task<UserKeys> RemoveOldAsync(UserId user, CancellationToken cancellationToken)
    {
        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            UserKeys keys = await FindAsync(user, cancellationToken).ConfigureAwait(false) ?? throw new StoreException(StoreError.NotFound, "the user has no key");
            if (keys.Count == 1) return keys;
            if (await TryPutAsync(user, keys.CurrentOnly(), PutCondition.IfMatch(keys.ETag!), cancellationToken).ConfigureAwait(false) is { } put) return put;
        }
        throw Contended();
    }

    /// <summary>Destroys the user's keys: what they wrapped stays unreadable for good.</summary>
    /// <returns>Whether there were any.</returns>
    public Task<bool> DestroyAsync(UserId user, CancellationToken cancellationToken) => store.DeleteAsync(NameOf(user), PutCondition.Always, cancellationToken);

    /// <summary>
    /// Rotates the host's key: a new one is made current, every envelope is rewrapped, and only when a whole pass finds none that an older key
    /// wraps are the older ones destroyed. A crash at any point leaves all keys that are needed, and the next call, or <see cref="FinishRotationAsync"/>, goes on.
    /// </summary>
    /// <returns>Envelopes that were rewrapped.</returns>
    public async Task<int> RotateHostKeyAsync(CancellationToken cancellationToken)
    {
        host.Add();
        return await FinishRotationAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Ends a rotation that was cut off; does nothing where none was.</summary>
    public async Task<int> FinishRotationAsync(CancellationToken cancellationToken)
    {
        if (host.Count == 1) return 0;
        int total = 0;
        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            int rewrapped = 0;
            await foreach (ObjectInfo info in store.ListAsync(Root, cancellationToken).ConfigureAwait(false))
            {
                if (UserId.TryParse(info.Name[(Root.Length + 1)..], out UserId user) && await RewrapAsync(user, cancellationToken).ConfigureAwait(false)) rewrapped++;
            }
            total += rewrapped;
            if (rewrapped > 0) continue; // until a pass finds nothing: a user may have been made meanwhile
            host.RemoveOld();
            return total;
        }
        throw Contended();
    }

    private async Task<bool> RewrapAsync(UserId user, CancellationToken cancellationToken)
    {
        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            if (await store.GetAsync(NameOf(user), cancellationToken).ConfigureAwait(false) is not { } stored) return false; // destroyed meanwhile
            if (Parse(stored).All(key => key.By == host.CurrentId)) return false;
            byte[] bytes = Serialize(Open(user, stored).WrapAll(host));
            if (await TryWriteAsync(user, bytes, PutCondition.IfMatch(stored.ETag), cancellationToken).ConfigureAwait(false) is not null) return true;
        }
        throw Contended();
    }

    private async Task<UserKeys?> TryPutAsync(UserId user, byte[][] keys, PutCondition condition, CancellationToken cancellationToken)
    {
        byte[] bytes = Serialize(UserKeys.WrapAll(host, user, keys));
        return await TryWriteAsync(user, bytes, condition, cancellationToken).ConfigureAwait(false) is { } eTag ? new UserKeys(user, keys, eTag) : null;
    }

    /// <summary>The new ETag; null when somebody else was faster.</summary>
    private async Task<string?> TryWriteAsync(UserId user, byte[] bytes, PutCondition condition, CancellationToken cancellationToken)
    {
        try
        {
            return await store.PutAsync(NameOf(user), bytes, condition, cancellationToken).ConfigureAwait(false);
        }
        catch (StoreException error) when (error.Error is StoreError.ConditionFailed or StoreError.NotFound)
        {
            return null;
        }
    }

    private UserKeys Open(UserId user, StoredObject stored) =>
        new(user, [.. Parse(stored).Select(key => host.Unwrap(key, UserKeys.PurposeOf(user)))], stored.ETag);

    private static WrappedKey[] Parse(StoredObject stored)
    {
        try
        {
            WrappedKey[]? keys = JsonSerializer.Deserialize(stored.Bytes.Span, EnvelopeJsonContext.Default.WrappedKeyArray);
            if (keys is { Length: > 0 } && !keys.Contains(null!)) return keys;
        }
        catch (JsonException error)
        {
            throw Damaged(error);
        }
        throw Damaged(null);
    }

    private static byte[] Serialize(WrappedKey[] keys) => JsonSerializer.SerializeToUtf8Bytes(keys, EnvelopeJsonContext.Default.WrappedKeyArray);

    private static string NameOf(UserId user) => $"{Root}/{user}";

    private static StoreException Damaged(Exception? cause) => new(StoreError.Damaged, "a user's key envelope is not as it was written", cause);

    private static StoreException Contended() => new(StoreError.ConditionFailed, "a user's key envelope was changed by others at every attempt: try again");
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(WrappedKey[]))]
internal sealed partial class EnvelopeJsonContext : JsonSerializerContext;
