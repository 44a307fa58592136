using System.Collections.Concurrent;
using System.Runtime.CompilerServices;

namespace TinyLlm.Storage;

/// <summary>
/// Where the files of models lie in a store: <c>models/{owner}/{version}/{file}</c>, internal ids only, and <c>manifest.json</c> beside them.
/// Uploads go to their final place; a version is published by its manifest, which is written once and never changes, and after which no file does.
/// Who may do any of it is not known here.
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

    /// <summary>Appends to a file of a version that is not published; see <see cref="ObjectStore.AppendAsync(string, long, Stream, long, ContentDigest?, CancellationToken)"/>.</summary>
    /// <exception cref="StoreException">Sealed, and what an append answers.</exception>
    public async Task<AppendResult> AppendAsync(
        UserId owner, VersionId version, ModelFileName file, long offset, Stream body, long maxBytes, ContentDigest? contentDigest,
        CancellationToken cancellationToken)
    {
        Enter(version);
        try
        {
            if (await store.LengthAsync(ManifestOf(owner, version), cancellationToken).ConfigureAwait(false) is not null) throw SealedAlready();
            return await store.AppendAsync(ObjectNameOf(owner, version, file), offset, body, maxBytes, contentDigest, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Leave(version);
        }
    }

    /// <summary>Deletes one file of a version that is not published, so that it can be sent again from its start.</summary>
    /// <exception cref="StoreException">Sealed.</exception>
    public async Task DiscardAsync(UserId owner, VersionId version, ModelFileName file, CancellationToken cancellationToken)
    {
        Enter(version);
        try
        {
            if (await store.LengthAsync(ManifestOf(owner, version), cancellationToken).ConfigureAwait(false) is not null) throw SealedAlready();
            await store.DeleteAsync(ObjectNameOf(owner, version, file), PutCondition.Always, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Leave(version);
        }
    }

    /// <summary>The durable length of a file; null when none has begun.</summary>
    public Task<long?> LengthAsync(UserId owner, VersionId version, ModelFileName file, CancellationToken cancellationToken) =>
        store.LengthAsync(ObjectNameOf(owner, version, file), cancellationToken);

    /// <summary>A seekable stream over a file.</summary>
    public Task<Stream> OpenReadAsync(UserId owner, VersionId version, ModelFileName file, CancellationToken cancellationToken) =>
        store.OpenReadAsync(ObjectNameOf(owner, version, file), cancellationToken);

    /// <summary>A small file whole; null when there is none.</summary>
    public async Task<ReadOnlyMemory<byte>?> ReadAsync(UserId owner, VersionId version, ModelFileName file, CancellationToken cancellationToken) =>
        (await store.GetAsync(ObjectNameOf(owner, version, file), cancellationToken).ConfigureAwait(false))?.Bytes;

    /// <summary>The files of a version, published or not, without its manifest.</summary>
    public async IAsyncEnumerable<(ModelFileName Name, long Length)> ListAsync(
        UserId owner, VersionId version, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (ObjectInfo info in store.ListAsync(FolderName(owner, version), cancellationToken).ConfigureAwait(false))
        {
            if (ModelFileName.TryParse(info.Name[(info.Name.LastIndexOf('/') + 1)..], out ModelFileName name)) yield return (name, info.Length);
        }
    }

    /// <summary>
    /// Publishes a version: hashes its files, some at a time, and writes the manifest if there is none. From the first moment on no append to this
    /// version goes through; when this fails they do again.
    /// </summary>
    /// <exception cref="StoreException">Sealed: an append is under way, or another call published the version or is about to. NotFound: it has no file.</exception>
    public async Task<ModelManifest> SealAsync(UserId owner, VersionId version, CancellationToken cancellationToken)
    {
        if (!writers.TryAdd(version, Sealing)) throw SealedAlready();
        try
        {
            ModelManifest manifest = await ComputeAsync(owner, version, cancellationToken).ConfigureAwait(false);
            if (manifest.Files.IsEmpty) throw new StoreException(StoreError.NotFound, "the version has no file");
            await store.PutAsync(ManifestOf(owner, version), manifest.CanonicalBytes, PutCondition.IfAbsent, cancellationToken).ConfigureAwait(false);
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

    /// <summary>The manifest that the stored files have now.</summary>
    public async Task<ModelManifest> ComputeAsync(UserId owner, VersionId version, CancellationToken cancellationToken)
    {
        ConcurrentBag<ManifestFile> files = [];
        ParallelOptions options = new() { MaxDegreeOfParallelism = HashParallelism, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(ListAsync(owner, version, cancellationToken), options, async (listed, cancel) =>
        {
            await using Stream stream = await OpenReadAsync(owner, version, listed.Name, cancel).ConfigureAwait(false);
            files.Add(new ManifestFile(listed.Name, stream.Length, await ContentDigest.ComputeAsync(stream, cancel).ConfigureAwait(false)));
        }).ConfigureAwait(false);
        return ModelManifest.Create(version, files);
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
