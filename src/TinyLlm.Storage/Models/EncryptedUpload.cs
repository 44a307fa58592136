using System.Security.Cryptography;

namespace TinyLlm.Storage;

/// <summary>
/// Writes one encrypted file of an upload (<see cref="FileObjects"/>).
/// <list type="number">
/// <item>Full chunks are appended to the file's object as they arrive, block by block. What a body has beyond them becomes the tail, so that
/// all of a body that was acknowledged is durable.</item>
/// <item>A body that comes with a digest is checked before it is encrypted: in memory when it is short, else as a sealed object of its own. So bytes that
/// were wrong never use up the nonces of those that are right.</item>
/// <item><see cref="FinishAsync"/> appends the last chunk. It is also the fence: an append that another process still has under way finds
/// another object than it expects, and ends.</item>
/// </list>
/// A writer may have lost its right to write and not know it yet, because it stood still at any line below. So it looks at what is there and then asks
/// whether the right is still its own: if so, nobody else wrote what it saw. It changes objects only as it saw them, and a tail names the chunks that it
/// follows. What one without the right can do at worst is to be in the way of the other, who is told.
/// <para>
/// A block that ended inside a chunk, or a process that ended inside a block, leaves the beginning of a chunk behind. The same bytes give the
/// same ciphertext, so the next append goes on behind it; other bytes are refused, and the file begins anew.
/// </para>
/// </summary>
/// <param name="store">Where the file lies.</param>
/// <param name="objects">Its objects.</param>
/// <param name="key">The version's.</param>
/// <param name="file">The file's name.</param>
/// <param name="requireRight">Throws when the right to write the file is lost; null where nobody else can have it.</param>
internal sealed class EncryptedUpload(ObjectStore store, FileObjects objects, VersionKey key, ModelFileName file, Func<Task>? requireRight = null)
{
    private const string PartName = "part";

    /// <summary>Appends a body; answers the file's durable length.</summary>
    /// <exception cref="StoreException">As <see cref="ObjectStore.AppendAsync(string, long, Stream, long, ContentDigest?, CancellationToken)"/>; Damaged.</exception>
    public async Task<long> AppendAsync(long offset, Stream body, long maxBytes, ContentDigest? digest, CancellationToken cancellationToken)
    {
        UploadState? state = await UploadState.ReadAsync(store, objects, cancellationToken).ConfigureAwait(false);
        if (state is not null && requireRight is not null) await requireRight().ConfigureAwait(false);
        state = await WithoutUselessAsync(state, cancellationToken).ConfigureAwait(false);
        long durable = state?.Length ?? 0;
        if (durable != offset) throw ObjectStore.OffsetMismatch(offset, durable);
        if (offset > maxBytes) throw ObjectStore.TooLarge(maxBytes);
        return digest is null
            ? await WriteAsync(state, body, maxBytes, cancellationToken).ConfigureAwait(false)
            : await WriteVerifiedAsync(state, body, maxBytes, digest, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Deletes an object as it was found; false when another writer has put another one there.</summary>
    public static async Task<bool> TryDeleteAsync(ObjectStore store, string name, string eTag, CancellationToken cancellationToken)
    {
        try
        {
            await store.DeleteAsync(name, PutCondition.IfMatch(eTag), cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (StoreException error) when (error.Error == StoreError.ConditionFailed)
        {
            return false;
        }
    }

    /// <summary>Gives an object another ETag, so that whoever looked at it before can't change it any more; false when it was changed since it was found.</summary>
    public static async Task<bool> TryFenceAsync(ObjectStore store, string name, ObjectInfo? found, CancellationToken cancellationToken)
    {
        try
        {
            await store.AppendToAsync(name, found, Stream.Null, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (StoreException error) when (error.Error == StoreError.OffsetMismatch)
        {
            return false;
        }
    }

    /// <summary>Makes the file whole: from here on no byte can be appended to it. Once more, or in two processes at once, it does the same.</summary>
    /// <exception cref="StoreException">OffsetMismatch: the file ends inside a chunk that was begun with more bytes, or another append goes on.</exception>
    public async Task FinishAsync(CancellationToken cancellationToken)
    {
        for (bool isRepeat = false; !await TryFinishAsync(isRepeat, cancellationToken).ConfigureAwait(false); isRepeat = true)
        {
            // Somebody appended meanwhile: most likely another commit, the same last chunk.
        }
    }

    private async Task<bool> TryFinishAsync(bool isRepeat, CancellationToken cancellationToken)
    {
        UploadState state = await UploadState.ReadAsync(store, objects, cancellationToken).ConfigureAwait(false)
            ?? throw new StoreException(StoreError.NotFound, "the file has not begun");
        if (state.IsOutdated) throw ObjectStore.OffsetMismatch(state.StoredBytes, 0); // it is to be sent again
        state = await WithWholeHeaderAsync(state, cancellationToken).ConfigureAwait(false);
        using FileEncryptor encryptor = await OpenEncryptorAsync(state, cancellationToken).ConfigureAwait(false);
        byte[] tail = state.Tail?.Open(key, file) ?? [];
        byte[] last = new byte[tail.Length + EncryptedLayout.TagBytes];
        encryptor.EncryptFinal(state.Chunks, tail, last);

        byte[] begun = await ReadBegunAsync(state, cancellationToken).ConfigureAwait(false);
        if (!last.AsSpan().StartsWith(begun)) throw ObjectStore.OffsetMismatch(state.Length, state.Position);
        if (begun.Length == last.Length) return await TryFenceAsync(store, objects.Sealed, state.Full, cancellationToken).ConfigureAwait(false) || isRepeat;
        byte[] added = state.StoredBytes == 0 ? [.. encryptor.Header.Span, .. last] : last[begun.Length..];
        try
        {
            await store.AppendToAsync(objects.Sealed, state.Full, new MemoryStream(added), cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (StoreException error) when (error.Error == StoreError.OffsetMismatch && !isRepeat)
        {
            return false;
        }
    }

    private async Task<long> WriteAsync(UploadState? found, Stream body, long maxBytes, CancellationToken cancellationToken)
    {
        UploadState state = found ?? UploadState.None;
        using FileEncryptor encryptor = await OpenEncryptorAsync(state, cancellationToken).ConfigureAwait(false);
        await using EncryptingStream stream = new(
            encryptor, state.StoredBytes == 0, state.Chunks, state.Tail?.Open(key, file) ?? [], await ReadBegunAsync(state, cancellationToken).ConfigureAwait(false),
            body, maxBytes - state.Length, maxBytes);

        // 1. Full chunks, where there are any. The header that was just read must be theirs, or the tail would be bound to another writer's.
        ObjectInfo? same = await store.StatAsync(objects.Sealed, cancellationToken).ConfigureAwait(false);
        if (same?.ETag != state.Full?.ETag) throw await MismatchAsync(state).ConfigureAwait(false);
        string? fullETag = state.Full?.ETag;
        if (await stream.FillAsync(cancellationToken).ConfigureAwait(false))
        {
            try
            {
                fullETag = (await store.AppendToAsync(objects.Sealed, state.Full, stream, cancellationToken).ConfigureAwait(false)).ETag;
            }
            catch (StoreException error) when (error.Error == StoreError.OffsetMismatch)
            {
                if (stream.HasDiverged) await DiscardAsync(state).ConfigureAwait(false);
                throw await MismatchAsync(state).ConfigureAwait(false);
            }
        }

        // 2. What is left. An empty file is a tail too, or there would be nothing of it.
        long position = stream.Chunks * EncryptedLayout.ChunkBytes;
        if (!stream.Rest.IsEmpty || position == 0)
            await PutTailAsync(state, fullETag, UploadTail.Seal(key, file, encryptor.Commitment, position, stream.Rest)).ConfigureAwait(false);
        else if (state.TailETag is { } grownPast && !await TryDeleteAsync(store, objects.Tail, grownPast, CancellationToken.None).ConfigureAwait(false))
            throw await MismatchAsync(state).ConfigureAwait(false);
        return position + stream.Rest.Length;
    }

    private async Task PutTailAsync(UploadState state, string? fullETag, byte[] tail)
    {
        for (string? eTag = state.TailETag; ; )
        {
            try
            {
                PutCondition condition = eTag is null ? PutCondition.IfAbsent : PutCondition.IfMatch(eTag);
                await store.PutAsync(objects.Tail, tail, condition, CancellationToken.None).ConfigureAwait(false);
                return;
            }
            catch (StoreException error) when (error.Error == StoreError.ConditionFailed)
            {
                // A tail of other chunks than those that are here comes from a writer whose right was lost: it is only in the way.
                UploadState? now = await UploadState.ReadAsync(store, objects, CancellationToken.None).ConfigureAwait(false);
                bool isInTheWay = now is { Tail: null, TailETag: not null, IsOutdated: false } && now.Full?.ETag == fullETag;
                if (!isInTheWay) throw ObjectStore.OffsetMismatch(state.Length, now?.Length ?? 0);
                eTag = now!.TailETag;
            }
        }
    }

    private async Task<long> WriteVerifiedAsync(UploadState? state, Stream body, long maxBytes, ContentDigest digest, CancellationToken cancellationToken)
    {
        long room = maxBytes - (state?.Length ?? 0);
        using BlockBuffer first = new(ObjectStore.AppendBlockBytes);
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await first.ReadAsync(body, cancellationToken).ConfigureAwait(false);
        if (first.Block.Length > room) throw ObjectStore.TooLarge(maxBytes);
        hash.AppendData(first.Block.Span);
        if (first.IsFull)
        {
            await using Stream staged =
                await StageAsync(first.Block, body, room - first.Block.Length, maxBytes, hash, digest, cancellationToken).ConfigureAwait(false);
            // All is here and right: from now on it is not the client's to cancel.
            long length = await WriteAsync(state, staged, maxBytes, CancellationToken.None).ConfigureAwait(false);
            await store.DeleteAsync(objects.Part, PutCondition.Always, CancellationToken.None).ConfigureAwait(false);
            return length;
        }
        Require(digest, hash);
        using Stream whole = BinaryData.FromBytes(first.Block).ToStream();
        return await WriteAsync(state, whole, maxBytes, CancellationToken.None).ConfigureAwait(false);
    }

    /// <summary>Keeps a long body as a sealed object until its digest is known; answers it, decrypted.</summary>
    private async Task<Stream> StageAsync(
        ReadOnlyMemory<byte> first, Stream body, long room, long maxBytes, IncrementalHash hash, ContentDigest digest, CancellationToken cancellationToken)
    {
        await store.DeleteAsync(objects.Part, PutCondition.Always, cancellationToken).ConfigureAwait(false);
        try
        {
            using FileEncryptor encryptor = key.BeginPiece(file, PartName);
            await using HashingStream hashed = new(body, hash);
            await using EncryptingStream stream = new(encryptor, isNew: true, 0, first, default, hashed, room, maxBytes);
            AppendResult chunks = await store.AppendAsync(objects.Part, 0, stream, long.MaxValue, cancellationToken).ConfigureAwait(false);
            Require(digest, hash);
            byte[] last = new byte[stream.Rest.Length + EncryptedLayout.TagBytes];
            encryptor.EncryptFinal(stream.Chunks, stream.Rest, last);
            await store.AppendAsync(objects.Part, chunks.Length, new MemoryStream(last), long.MaxValue, cancellationToken).ConfigureAwait(false);
            VersionFile part = await VersionFile.OpenSealedAsync(
                store,
                objects.Part,
                (header, length) => header.SequenceEqual(encryptor.Header.Span)
                    ? key.OpenPiece(file, PartName, header, length)
                    : throw ObjectStore.OffsetMismatch(length, 0), // another writer's body
                cancellationToken).ConfigureAwait(false);
            return part.AsStream();
        }
        catch
        {
            await store.DeleteAsync(objects.Part, PutCondition.Always, CancellationToken.None).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>A file of which not even the header is whole begins anew, and so does one that is outdated.</summary>
    private async Task<UploadState?> WithoutUselessAsync(UploadState? state, CancellationToken cancellationToken)
    {
        if (state is not { IsOutdated: true }) return state is null ? null : await WithWholeHeaderAsync(state, cancellationToken).ConfigureAwait(false);
        await DiscardAsync(state).ConfigureAwait(false);
        return null;
    }

    private async Task<UploadState> WithWholeHeaderAsync(UploadState state, CancellationToken cancellationToken)
    {
        if (state.Full is not { Length: > 0 and < EncryptedLayout.HeaderBytes } cutOff) return state;
        bool isGone = await TryDeleteAsync(store, objects.Sealed, cutOff.ETag, cancellationToken).ConfigureAwait(false);
        return isGone ? state with { Full = null } : throw await MismatchAsync(state).ConfigureAwait(false);
    }

    /// <summary>Deletes the file as it was found, so that it begins anew under another salt; what another writer put there since is left alone.</summary>
    private async Task DiscardAsync(UploadState state)
    {
        if (state.TailETag is { } tail) await TryDeleteAsync(store, objects.Tail, tail, CancellationToken.None).ConfigureAwait(false);
        if (state.Full is { } full) await TryDeleteAsync(store, objects.Sealed, full.ETag, CancellationToken.None).ConfigureAwait(false);
    }

    /// <summary>Another writer was first: where the file ends now.</summary>
    private async Task<StoreException> MismatchAsync(UploadState state)
    {
        UploadState? now = await UploadState.ReadAsync(store, objects, CancellationToken.None).ConfigureAwait(false);
        return ObjectStore.OffsetMismatch(state.Length, now?.Length ?? 0);
    }

    /// <summary>Goes on under the header of the chunks that were found, or begins with a fresh one.</summary>
    private async Task<FileEncryptor> OpenEncryptorAsync(UploadState state, CancellationToken cancellationToken)
    {
        if (state.StoredBytes == 0) return key.BeginFile(file);
        byte[] header = await ReadAsync(0, EncryptedLayout.HeaderBytes, cancellationToken).ConfigureAwait(false);
        return key.ResumeFile(file, header);
    }

    private Task<byte[]> ReadBegunAsync(UploadState state, CancellationToken cancellationToken) =>
        ReadAsync(state.StoredBytes - state.OpenBytes, state.OpenBytes, cancellationToken);

    private async Task<byte[]> ReadAsync(long offset, int count, CancellationToken cancellationToken)
    {
        if (count == 0) return [];
        byte[] bytes = new byte[count];
        long end = offset + count;
        try
        {
            int read = await store.ReadRangeAsync(objects.Sealed, offset, bytes, cancellationToken).ConfigureAwait(false);
            return read == count ? bytes : throw ObjectStore.OffsetMismatch(end, offset + read); // another writer began it anew
        }
        catch (StoreException error) when (error.Error == StoreError.NotFound)
        {
            throw ObjectStore.OffsetMismatch(end, 0);
        }
    }

    private static void Require(ContentDigest digest, IncrementalHash hash)
    {
        if (!digest.Equals(new ContentDigest(hash.GetHashAndReset()))) throw ObjectStore.DigestMismatch();
    }
}
