namespace TinyLlm.Storage;

/// <summary>How far an encrypted file of an upload is, as the lengths of its objects tell: no key is needed.</summary>
/// <param name="StoredBytes">Length of the object of full chunks; 0 when there is none.</param>
/// <param name="Tail">What follows the full chunks; null when there is nothing.</param>
/// <param name="TailETag">The tail's object, also when it is one that the file has grown past; null when there is none.</param>
internal sealed record UploadState(long StoredBytes, UploadTail? Tail, string? TailETag)
{
    /// <summary>Full chunks that are stored.</summary>
    public long Chunks => StoredBytes < EncryptedLayout.HeaderBytes ? 0 : (StoredBytes - EncryptedLayout.HeaderBytes) / EncryptedLayout.EncryptedChunkBytes;

    /// <summary>
    /// Bytes after the last full chunk: the beginning of the next one, when a block ended in it or a process did; or the last chunk, when the file is
    /// finished.
    /// </summary>
    public int OpenBytes => (int)(StoredBytes < EncryptedLayout.HeaderBytes ? 0 : (StoredBytes - EncryptedLayout.HeaderBytes) % EncryptedLayout.EncryptedChunkBytes);

    /// <summary>Where in the plaintext the full chunks end.</summary>
    public long Position => Chunks * EncryptedLayout.ChunkBytes;

    /// <summary>Durable bytes of plaintext.</summary>
    public long Length => Position + (Tail?.Length ?? 0);

    /// <summary>Reads it; null when the file has not begun.</summary>
    public static async Task<UploadState?> ReadAsync(ObjectStore store, FileObjects objects, CancellationToken cancellationToken)
    {
        long? stored = await store.LengthAsync(objects.Sealed, cancellationToken).ConfigureAwait(false);
        StoredObject? tail = await store.GetAsync(objects.Tail, cancellationToken).ConfigureAwait(false);
        if (stored is null && tail is null) return null;
        UploadState state = new(stored ?? 0, tail is null ? null : UploadTail.Parse(tail.Bytes), tail?.ETag);
        return state.Tail is { } found && found.Position != state.Position ? state with { Tail = null } : state;
    }
}
