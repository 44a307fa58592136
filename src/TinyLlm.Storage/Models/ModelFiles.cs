using System.Collections.Concurrent;
using System.Runtime.CompilerServices;

namespace TinyLlm.Storage;

/// <summary>
/// Where the files of models lie in a store: <c>models/{owner}/{version}/{file}</c>, internal ids only, and <c>manifest.json</c> beside them.
/// Uploads go to their final place; a version is published by its manifest, which is written once and never changes, and after which no file does.
/// Given a version's key, files are encrypted as they arrive (<see cref="FileObjects"/>, <see cref="EncryptedUpload"/>) and decrypted as they are read; lengths
/// are those of the plaintext. Who may do any of it is not known here.
/// </summary>
public sealed class ModelFiles(ObjectStore store)
{
    private const string Root = "models";
    private const string ManifestName = "manifest.json";
    private const string SignatureName = "host.sig";
    private const int Sealing = int.MinValue;

    /// <summary>Files that are hashed at a time.</summary>
    private static readonly int HashParallelism = Math.Min(Environment.ProcessorCount, 8);

    /// <summary>Appends under way per version; a version that is being sealed holds <see cref="Sealing"/>. One instance per store and process.</summary>
    private readonly ConcurrentDictionary<VersionId, int> writers = new();

    /// <summary>The folder of a version, as a prefix in the store.</summary>
    public static string FolderName(UserId owner, VersionId version) => $"{Root}/{owner}/{version}";

    /// <summary>The object of a file.</summary>
    public static string ObjectNameOf(UserId owner, VersionId version, ModelFileName file) => $"{FolderName(owner, version)}/{file}";

    /// <summary>
    /// Appends to a file of a version that is not published; see <see cref="ObjectStore.AppendAsync(string, long, Stream, long, ContentDigest?, CancellationToken)"/>.
    /// With a key, what is durable ends at a chunk's border when the body breaks off, and at its last byte when it does not.
    /// </summary>
    /// <returns>The file's durable length.</returns>
    /// <exception cref="StoreException">Sealed, Damaged, and what an append answers.</exception>
    public Task<long> AppendAsync(
        UserId owner, VersionId version, ModelFileName file, long offset, Stream body, long maxBytes, ContentDigest? contentDigest, VersionKey? key,
        CancellationToken cancellationToken) => AppendAsync(owner, version, file, offset, body, maxBytes, contentDigest, key, null, cancellationToken);

    /// <summary>
    /// The same for one of several processes, of which one at a time has the right to write a file. <paramref name="requireRight"/> throws when it is lost;
    /// it is asked before what is there is changed. Who loses it later changes nothing that another writes, but may not hear of the loss: ask once more at the end.
    /// </summary>
    /// <inheritdoc cref="AppendAsync(UserId, VersionId, ModelFileName, long, Stream, long, ContentDigest?, VersionKey?, CancellationToken)"/>
    public async Task<long> AppendAsync(
        UserId owner, VersionId version, ModelFileName file, long offset, Stream body, long maxBytes, ContentDigest? contentDigest, VersionKey? key,
        Func<Task>? requireRight, CancellationToken cancellationToken)
    {
        FileObjects objects = ObjectsOf(owner, version, file);
        Enter(version);
        try
        {
            if (await store.LengthAsync(ManifestOf(owner, version), cancellationToken).ConfigureAwait(false) is not null) throw SealedAlready();
            if (key is not null)
            {
                EncryptedUpload upload = new(store, objects, key, file, requireRight);
                return await upload.AppendAsync(offset, body, maxBytes, contentDigest, cancellationToken).ConfigureAwait(false);
            }
            return (await store.AppendAsync(objects.Plain, offset, body, maxBytes, contentDigest, requireRight, cancellationToken).ConfigureAwait(false)).Length;
        }
        finally
        {
            Leave(version);
        }
    }

    /// <summary>
    /// Deletes one file of a version that is not published, so that it can be sent again from its start. Where another process may have the right to write
    /// it by now, <paramref name="requireRight"/> throws when it does.
    /// </summary>
    /// <exception cref="StoreException">Sealed. OffsetMismatch: another process writes the file.</exception>
    public async Task DiscardAsync(UserId owner, VersionId version, ModelFileName file, Func<Task>? requireRight, CancellationToken cancellationToken)
    {
        Enter(version);
        try
        {
            // 1. What is there is looked at before the right is asked for, and deleted as it was seen: what the next one with the right writes is left alone.
            FileObjects objects = ObjectsOf(owner, version, file);
            List<ObjectInfo> found = [];
            foreach (string name in new[] { objects.Tail, objects.Sealed, objects.Plain })
            {
                if (await store.StatAsync(name, cancellationToken).ConfigureAwait(false) is { } info) found.Add(info);
            }
            // 2.
            if (found.Count > 0 && requireRight is not null) await requireRight().ConfigureAwait(false);
            if (await store.LengthAsync(ManifestOf(owner, version), cancellationToken).ConfigureAwait(false) is not null) throw SealedAlready();
            // 3.
            await store.DeleteAsync(objects.Part, PutCondition.Always, cancellationToken).ConfigureAwait(false);
            foreach (ObjectInfo info in found)
            {
                if (!await EncryptedUpload.TryDeleteAsync(store, info.Name, info.ETag, cancellationToken).ConfigureAwait(false))
                    throw ObjectStore.OffsetMismatch(0, await LengthAsync(owner, version, file, cancellationToken).ConfigureAwait(false) ?? 0);
            }
        }
        finally
        {
            Leave(version);
        }
    }

    /// <summary>The durable length of a file; null when none has begun.</summary>
    public async Task<long?> LengthAsync(UserId owner, VersionId version, ModelFileName file, CancellationToken cancellationToken)
    {
        FileObjects objects = ObjectsOf(owner, version, file);
        UploadState? state = await UploadState.ReadAsync(store, objects, cancellationToken).ConfigureAwait(false);
        if (state is null) return await store.LengthAsync(objects.Plain, cancellationToken).ConfigureAwait(false);

        // After the last full chunk lies the beginning of another, or, once the version is published, the last one, and the manifest knows.
        ModelManifest? manifest = state is { Tail: null, OpenBytes: > 0 } ? await ReadManifestAsync(owner, version, cancellationToken).ConfigureAwait(false) : null;
        return manifest?.Files.FirstOrDefault(listed => listed.Name == file)?.Length ?? state.Length;
    }

    /// <summary>Opens a file of a published version, or of one whose upload is finished.</summary>
    /// <exception cref="StoreException">NotFound, Damaged.</exception>
    public Task<VersionFile> OpenAsync(UserId owner, VersionId version, ModelFileName file, VersionKey? key, CancellationToken cancellationToken)
    {
        FileObjects objects = ObjectsOf(owner, version, file);
        return key is null
            ? VersionFile.OpenPlainAsync(store, objects.Plain, cancellationToken)
            : VersionFile.OpenSealedAsync(store, objects.Sealed, (header, length) => key.OpenFile(file, header, length), cancellationToken);
    }

    /// <summary>The files of a version that is not published, with their durable lengths.</summary>
    public async IAsyncEnumerable<(ModelFileName Name, long Length)> ListAsync(
        UserId owner, VersionId version, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        HashSet<ModelFileName> names = [];
        await foreach (ObjectInfo info in store.ListAsync(FolderName(owner, version), cancellationToken).ConfigureAwait(false))
        {
            if (FileObjects.TryGetFile(info.Name, out ModelFileName name)) names.Add(name);
        }
        foreach (ModelFileName name in names)
        {
            if (await LengthAsync(owner, version, name, cancellationToken).ConfigureAwait(false) is { } length) yield return (name, length);
        }
    }

    /// <summary>Every stored object of every version of every owner, in no order.</summary>
    public async IAsyncEnumerable<StoredFile> ListAllAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (ObjectInfo info in store.ListAsync(Root, cancellationToken).ConfigureAwait(false))
        {
            if (info.Name.Split('/') is [_, var owner, var version, _] && UserId.TryParse(owner, out UserId user) && VersionId.TryParse(version, out VersionId id))
                yield return new StoredFile(user, id, info.Length, info.LastModified, FileObjects.IsForUploadOnly(info.Name));
        }
    }

    /// <summary>Removes from a published version what only its upload needed, and a publication that was cut off left behind. How many objects went.</summary>
    public async Task<int> RemoveLeftoversAsync(UserId owner, VersionId version, CancellationToken cancellationToken)
    {
        if (await store.LengthAsync(ManifestOf(owner, version), cancellationToken).ConfigureAwait(false) is null) return 0;
        int removed = 0;
        await foreach (ObjectInfo info in store.ListAsync(FolderName(owner, version), cancellationToken).ConfigureAwait(false))
        {
            if (!FileObjects.IsForUploadOnly(info.Name)) continue;
            await store.DeleteAsync(info.Name, PutCondition.Always, cancellationToken).ConfigureAwait(false);
            removed++;
        }
        return removed;
    }

    /// <summary>
    /// Publishes a version: ends its files, hashes them, some at a time, and writes the manifest if there is none. From the first moment on no append to
    /// this version goes through; when this fails they do again, but to no encrypted file that was ended.
    /// </summary>
    /// <exception cref="StoreException">
    /// Sealed: an append is under way, or another call published the version or is about to. NotFound: it has no file. OffsetMismatch: a file is not
    /// complete.
    /// </exception>
    public Task<ModelManifest> SealAsync(UserId owner, VersionId version, VersionKey? key, CancellationToken cancellationToken) =>
        SealAsync(owner, version, key, null, cancellationToken);

    /// <summary>
    /// The same for one who knows what the files should be: <paramref name="require"/> throws when they are not, before anything is written that can't
    /// be taken back. Any of them can be sent anew then.
    /// </summary>
    /// <inheritdoc cref="SealAsync(UserId, VersionId, VersionKey?, CancellationToken)"/>
    public async Task<ModelManifest> SealAsync(
        UserId owner, VersionId version, VersionKey? key, Action<ModelManifest>? require, CancellationToken cancellationToken)
    {
        if (!writers.TryAdd(version, Sealing)) throw SealedAlready();
        try
        {
            List<ModelFileName> names = await ListAsync(owner, version, cancellationToken).Select(file => file.Name).ToListAsync(cancellationToken).ConfigureAwait(false);
            if (names.Count == 0) throw new StoreException(StoreError.NotFound, "the version has no file");
            if (key is not null) await FinishAsync(owner, version, names, key, cancellationToken).ConfigureAwait(false);
            else await FenceAsync(owner, version, names, cancellationToken).ConfigureAwait(false);
            ModelManifest manifest = await ComputeAsync(owner, version, names, key, cancellationToken).ConfigureAwait(false);
            require?.Invoke(manifest);
            await store.PutAsync(ManifestOf(owner, version), manifest.CanonicalBytes, PutCondition.IfAbsent, cancellationToken).ConfigureAwait(false);
            if (key is not null) await CleanAsync(owner, version, names).ConfigureAwait(false);
            return manifest;
        }
        catch (StoreException error) when (error.Error == StoreError.ConditionFailed)
        {
            throw SealedAlready();
        }
        finally
        {
            writers.TryRemove(version, out _);
        }
    }

    /// <summary>The manifest of a published version; null when it isn't published.</summary>
    /// <exception cref="StoreException">Damaged.</exception>
    public async Task<ModelManifest?> ReadManifestAsync(UserId owner, VersionId version, CancellationToken cancellationToken)
    {
        if (await store.GetAsync(ManifestOf(owner, version), cancellationToken).ConfigureAwait(false) is not { } stored) return null;
        ModelManifest manifest = ModelManifest.Parse(stored.Bytes.Span);
        return manifest.Version == version ? manifest : throw new StoreException(StoreError.Damaged, "the manifest is another version's");
    }

    /// <summary>Puts the host's signature beside the manifest, in the place of an earlier one.</summary>
    public Task WriteSignatureAsync(UserId owner, VersionId version, ReadOnlyMemory<byte> bundle, CancellationToken cancellationToken) =>
        store.PutAsync(SignatureOf(owner, version), bundle, PutCondition.Always, cancellationToken);

    /// <summary>The host's signature of a version; null when it has none.</summary>
    public async Task<ReadOnlyMemory<byte>?> ReadSignatureAsync(UserId owner, VersionId version, CancellationToken cancellationToken) =>
        (await store.GetAsync(SignatureOf(owner, version), cancellationToken).ConfigureAwait(false))?.Bytes;

    /// <summary>The folder of a version's files, for memory mapping; null where the store has no files or the version none.</summary>
    public string? TryGetLocalFolder(UserId owner, VersionId version) => store.TryGetLocalFolder(FolderName(owner, version));

    /// <summary>Deletes a version with all its files.</summary>
    public Task DeleteAsync(UserId owner, VersionId version, CancellationToken cancellationToken) =>
        store.DeletePrefixAsync(FolderName(owner, version), cancellationToken);

    /// <summary>Deletes every version of an owner.</summary>
    public Task DeleteOwnerAsync(UserId owner, CancellationToken cancellationToken) =>
        store.DeletePrefixAsync($"{Root}/{owner}", cancellationToken);

    private async Task FinishAsync(UserId owner, VersionId version, IEnumerable<ModelFileName> names, VersionKey key, CancellationToken cancellationToken)
    {
        try
        {
            await Parallel.ForEachAsync(names, Some(cancellationToken), async (name, cancel) =>
                await new EncryptedUpload(store, ObjectsOf(owner, version, name), key, name).FinishAsync(cancel).ConfigureAwait(false)).ConfigureAwait(false);
        }
        catch (StoreException error) when (error.Error == StoreError.OffsetMismatch)
        {
            // Whoever published meanwhile has removed the tails.
            if (await store.LengthAsync(ManifestOf(owner, version), cancellationToken).ConfigureAwait(false) is not null) throw SealedAlready();
            throw;
        }
    }

    /// <summary>What the last chunk does for encrypted files: no writer that lost its right can change one that it looked at before.</summary>
    private Task FenceAsync(UserId owner, VersionId version, IEnumerable<ModelFileName> names, CancellationToken cancellationToken) =>
        Parallel.ForEachAsync(names, Some(cancellationToken), async (name, cancel) =>
        {
            string plain = ObjectsOf(owner, version, name).Plain;
            if (await store.StatAsync(plain, cancel).ConfigureAwait(false) is { } found)
                await EncryptedUpload.TryFenceAsync(store, plain, found, cancel).ConfigureAwait(false); // if it changed since, then so did its ETag
        });

    private async Task<ModelManifest> ComputeAsync(
        UserId owner, VersionId version, IEnumerable<ModelFileName> names, VersionKey? key, CancellationToken cancellationToken)
    {
        ConcurrentBag<ManifestFile> files = [];
        await Parallel.ForEachAsync(names, Some(cancellationToken), async (name, cancel) =>
        {
            VersionFile file = await OpenAsync(owner, version, name, key, cancel).ConfigureAwait(false);
            await using Stream stream = file.AsStream();
            files.Add(new ManifestFile(name, file.Length, await ContentDigest.ComputeAsync(stream, cancel).ConfigureAwait(false), file.Commitment));
        }).ConfigureAwait(false);
        return ModelManifest.Create(version, files);
    }

    /// <summary>Removes what only an upload needs. The version is published: nobody may keep this from ending.</summary>
    private Task CleanAsync(UserId owner, VersionId version, IEnumerable<ModelFileName> names) =>
        Parallel.ForEachAsync(names, Some(CancellationToken.None), async (name, cancel) =>
        {
            FileObjects objects = ObjectsOf(owner, version, name);
            await store.DeleteAsync(objects.Tail, PutCondition.Always, cancel).ConfigureAwait(false);
            await store.DeleteAsync(objects.Part, PutCondition.Always, cancel).ConfigureAwait(false);
        });

    private static ParallelOptions Some(CancellationToken cancellationToken) => new() { MaxDegreeOfParallelism = HashParallelism, CancellationToken = cancellationToken };

    private static FileObjects ObjectsOf(UserId owner, VersionId version, ModelFileName file) => new(ObjectNameOf(owner, version, file));

    private static string ManifestOf(UserId owner, VersionId version) => $"{FolderName(owner, version)}/{ManifestName}";

    private static string SignatureOf(UserId owner, VersionId version) => $"{FolderName(owner, version)}/{SignatureName}";

    private void Enter(VersionId version) =>
        writers.AddOrUpdate(version, 1, (_, count) => count == Sealing ? throw SealedAlready() : count + 1);

    private void Leave(VersionId version)
    {
        while (true)
        {
            int count = writers[version];
            if (count > 1 ? writers.TryUpdate(version, count - 1, count) : writers.TryRemove(KeyValuePair.Create(version, count))) return;
        }
    }

    private static StoreException SealedAlready() =>
        new(StoreError.Sealed, "the version is published, or an upload to it or its publication is under way: begin a new version, or try again when that has ended");
}
