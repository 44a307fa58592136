using TinyLlm.Grains.Models;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Users;

/// <summary>
/// The user's keys as the user's grain has them: read from their envelope at their first use, kept while the grain is active, and never in its state,
/// which holds data keys wrapped by them.
/// </summary>
internal sealed class KeyBook(KeyEnvelopes envelopes, EncryptionOptions options)
{
    private UserKeys? _keys;

    /// <summary>What wraps the key of a new upload; null where new versions are not encrypted.</summary>
    public async Task<UserKeys?> ForNewAsync(UserId user) =>
        options.Enabled ? _keys ??= await envelopes.GetOrCreateAsync(user, CancellationToken.None) : null;

    /// <summary>A version's key for a lease; null when its files are not encrypted.</summary>
    /// <exception cref="StoreException">Damaged: the user's key is gone, or one of both was changed.</exception>
    public async Task<VersionKey?> OpenAsync(UserId user, WrappedKey? wrapped, string model, VersionId version)
    {
        if (wrapped is null) return null;
        _keys ??= await envelopes.FindAsync(user, CancellationToken.None)
            ?? throw new StoreException(StoreError.Damaged, "the user's key envelope is gone: restore it from a backup, nothing else opens the user's versions");
        return _keys.Open(wrapped, Folded(model), version);
    }

    /// <summary>A fresh data key for an upload.</summary>
    public static WrappedKey? NewVersionKey(UserKeys? keys, string model, VersionId version) => keys?.NewVersionKey(Folded(model), version);

    /// <summary>
    /// Makes the user a new key: it is durable before anything is wrapped by it, every data key is rewrapped in one write of the state, and only
    /// then is the old key destroyed. A crash in between leaves both, and a repeat ends it.
    /// </summary>
    /// <returns>Data keys that were rewrapped.</returns>
    public async Task<int> RotateAsync(UserId user, UserState state, Func<Task> saveAsync)
    {
        UserKeys keys = _keys = await envelopes.AddAsync(user, CancellationToken.None);
        int count = 0;
        foreach (ModelRecord model in state.Models.Values)
        {
            foreach (VersionRecord version in model.Versions.Where(version => version.Key is not null))
            {
                version.Key = keys.Rewrap(version.Key!, Folded(model.Name), version.Id);
                count++;
            }
        }
        foreach (UploadRecord upload in state.Uploads.Values.Where(upload => upload.Key is not null))
        {
            upload.Key = keys.Rewrap(upload.Key!, Folded(upload.Model), upload.Version);
            count++;
        }
        await saveAsync();
        _keys = await envelopes.RemoveOldAsync(user, CancellationToken.None);
        return count;
    }

    /// <summary>Destroys the user's keys. Whether there were any.</summary>
    public Task<bool> DestroyAsync(UserId user)
    {
        _keys = null;
        return envelopes.DestroyAsync(user, CancellationToken.None);
    }

    private static string Folded(string model) => EntityName.Parse(model).Folded;
}
