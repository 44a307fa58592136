namespace TinyLlm.Storage;

/// <summary>How far an encrypted file of an upload is, as its objects tell: no key is needed.</summary>
/// <param name="Full">The object of full chunks; null when there is none.</param>
/// <param name="Tail">What follows the full chunks; null when there is nothing.</param>
/// <param name="TailETag">The tail's object, also when it is not this file's or one that the file has grown past; null when there is none.</param>
/// <param name="IsOutdated">Whether it was sent to a version of this program whose tails are not taken any more: it begins anew.</param>
internal sealed record UploadState(ObjectInfo? Full, UploadTail? Tail, string? TailETag, bool IsOutdated)
{
    /// <summary>A file that has not begun.</summary>
    public static UploadState None { get; } = new(null, null, null, false);

    /// <summary>Length of the object of full chunks.</summary>
    public long StoredBytes => Full?.Length ?? 0;

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
    public long Length => IsOutdated ? 0 : Position + (Tail?.Length ?? 0);

    /// <summary>Reads it; null when the file has not begun.</summary>
    public static async Task<UploadState?> ReadAsync(ObjectStore store, FileObjects objects, CancellationToken cancellationToken)
    {
        // The full chunks first: whoever appends to them as they were found here knows that all that was read after belongs to them, or is refused.
        ObjectInfo? full = await store.StatAsync(objects.Sealed, cancellationToken).ConfigureAwait(false);
        StoredObject? stored = await store.GetAsync(objects.Tail, cancellationToken).ConfigureAwait(false);
        if (stored is null) return full is null ? null : new UploadState(full, null, null, false);
        if (UploadTail.IsOutdated(stored.Bytes.Span)) return new UploadState(full, null, stored.ETag, true);
        UploadState state = new(full, UploadTail.Parse(stored.Bytes), stored.ETag, false);
        return await IsWholeAsync(store, objects, state, cancellationToken).ConfigureAwait(false) ? state : state with { Tail = null };
    }

    /// <summary>Whether the tail continues these chunks. Where there is none before it, it is the whole file by itself.</summary>
    private static async Task<bool> IsWholeAsync(ObjectStore store, FileObjects objects, UploadState state, CancellationToken cancellationToken)
    {
        if (state.Tail?.Position != state.Position) return false;
        if (state.Position == 0) return true;
        byte[] header = new byte[EncryptedLayout.HeaderBytes];
        try
        {
            int read = await store.ReadRangeAsync(objects.Sealed, 0, header, cancellationToken).ConfigureAwait(false);
            return state.Tail.Follows(header.AsSpan(0, read));
        }
        catch (StoreException error) when (error.Error == StoreError.NotFound)
        {
            return false; // the file is being begun anew
        }
    }
}
