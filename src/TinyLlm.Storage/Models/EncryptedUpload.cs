using System.Buffers;
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
/// another length than it expects, and ends.</item>
/// </list>
/// A block that ended inside a chunk, or a process that ended inside a block, leaves the beginning of a chunk behind. The same bytes give the
/// same ciphertext, so the next append goes on behind it; other bytes are refused, and the file begins anew.
/// </summary>
internal sealed class EncryptedUpload(ObjectStore store, FileObjects objects, VersionKey key, ModelFileName file)
{
    private const string PartName = "part";

    /// <summary>Appends a body; answers the file's durable length.</summary>
    /// <exception cref="StoreException">As <see cref="ObjectStore.AppendAsync(string, long, Stream, long, ContentDigest?, CancellationToken)"/>; Damaged.</exception>
    public async Task<long> AppendAsync(long offset, Stream body, long maxBytes, ContentDigest? digest, CancellationToken cancellationToken)
    {
        UploadState? state = await ReadStateAsync(cancellationToken).ConfigureAwait(false);
        long durable = state?.Length ?? 0;
        if (durable != offset) throw ObjectStore.OffsetMismatch(offset, durable);
        if (offset > maxBytes) throw ObjectStore.TooLarge(maxBytes);
        return digest is null
            ? await WriteAsync(state, body, maxBytes, cancellationToken).ConfigureAwait(false)
            : await WriteVerifiedAsync(state, body, maxBytes, digest, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Deletes all of the file, so that it begins anew under another salt.</summary>
    public static async Task DiscardAsync(ObjectStore store, FileObjects objects, CancellationToken cancellationToken)
    {
        foreach (string name in new[] { objects.Part, objects.Tail, objects.Sealed })
            await store.DeleteAsync(name, PutCondition.Always, cancellationToken).ConfigureAwait(false);
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
        UploadState state = await ReadStateAsync(cancellationToken).ConfigureAwait(false)
            ?? throw new StoreException(StoreError.NotFound, "the file has not begun");
        using FileEncryptor encryptor = await OpenEncryptorAsync(state, cancellationToken).ConfigureAwait(false);
        byte[] tail = state.Tail?.Open(key, file) ?? [];
        byte[] last = new byte[tail.Length + EncryptedLayout.TagBytes];
        encryptor.EncryptFinal(state.Chunks, tail, last);

        byte[] begun = await ReadBegunAsync(state, cancellationToken).ConfigureAwait(false);
        if (!last.AsSpan().StartsWith(begun)) throw ObjectStore.OffsetMismatch(state.Length, state.Position);
        if (begun.Length == last.Length) return true;
        byte[] added = state.StoredBytes == 0 ? [.. encryptor.Header.Span, .. last] : last[begun.Length..];
        try
        {
            await store.AppendAsync(objects.Sealed, state.StoredBytes, new MemoryStream(added), long.MaxValue, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (StoreException error) when (error.Error == StoreError.OffsetMismatch && !isRepeat)
        {
            return false;
        }
    }

    private async Task<long> WriteAsync(UploadState? found, Stream body, long maxBytes, CancellationToken cancellationToken)
    {
        UploadState state = found ?? new UploadState(0, null, null);
        using FileEncryptor encryptor = await OpenEncryptorAsync(state, cancellationToken).ConfigureAwait(false);
        await using EncryptingStream stream = new(
            encryptor, state.StoredBytes == 0, state.Chunks, state.Tail?.Open(key, file) ?? [], await ReadBegunAsync(state, cancellationToken).ConfigureAwait(false),
            body, maxBytes - state.Length, maxBytes);

        // 1. Full chunks, where there are any.
        if (await stream.FillAsync(cancellationToken).ConfigureAwait(false))
        {
            try
            {
                await store.AppendAsync(objects.Sealed, state.StoredBytes, stream, long.MaxValue, cancellationToken).ConfigureAwait(false);
            }
            catch (StoreException error) when (error.Error == StoreError.OffsetMismatch)
            {
                if (stream.HasDiverged) await DiscardAsync(store, objects, CancellationToken.None).ConfigureAwait(false);
                UploadState? now = await UploadState.ReadAsync(store, objects, CancellationToken.None).ConfigureAwait(false);
                throw ObjectStore.OffsetMismatch(state.Length, now?.Length ?? 0);
            }
        }

        // 2. What is left. An empty file is a tail too, or there would be nothing of it.
        long position = stream.Chunks * EncryptedLayout.ChunkBytes;
        if (stream.Rest.IsEmpty && position > 0)
        {
            if (state.TailETag is not null) await store.DeleteAsync(objects.Tail, PutCondition.Always, CancellationToken.None).ConfigureAwait(false);
            return position;
        }
        byte[] tail = UploadTail.Seal(key, file, position, stream.Rest);
        PutCondition condition = state.TailETag is null ? PutCondition.IfAbsent : PutCondition.IfMatch(state.TailETag);
        try
        {
            await store.PutAsync(objects.Tail, tail, condition, CancellationToken.None).ConfigureAwait(false);
        }
        catch (StoreException error) when (error.Error == StoreError.ConditionFailed)
        {
            UploadState? now = await UploadState.ReadAsync(store, objects, CancellationToken.None).ConfigureAwait(false);
            throw ObjectStore.OffsetMismatch(state.Length, now?.Length ?? 0);
        }
        return position + stream.Rest.Length;
    }

    private async Task<long> WriteVerifiedAsync(UploadState? state, Stream body, long maxBytes, ContentDigest digest, CancellationToken cancellationToken)
    {
        long room = maxBytes - (state?.Length ?? 0);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(ObjectStore.AppendBlockBytes);
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        try
        {
            Memory<byte> first = buffer.AsMemory(0, ObjectStore.AppendBlockBytes);
            int filled = await body.ReadAtLeastAsync(first, first.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
            if (filled > room) throw ObjectStore.TooLarge(maxBytes);
            hash.AppendData(first.Span[..filled]);
            if (filled == first.Length)
            {
                await using Stream staged = await StageAsync(first, body, room - filled, maxBytes, hash, digest, cancellationToken).ConfigureAwait(false);
                // All is here and right: from now on it is not the client's to cancel.
                long length = await WriteAsync(state, staged, maxBytes, CancellationToken.None).ConfigureAwait(false);
                await store.DeleteAsync(objects.Part, PutCondition.Always, CancellationToken.None).ConfigureAwait(false);
                return length;
            }
            Require(digest, hash);
            return await WriteAsync(state, new MemoryStream(buffer, 0, filled), maxBytes, CancellationToken.None).ConfigureAwait(false);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(buffer);
            ArrayPool<byte>.Shared.Return(buffer);
        }
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
                store, objects.Part, (header, length) => key.OpenPiece(file, PartName, header, length), cancellationToken).ConfigureAwait(false);
            return part.AsStream();
        }
        catch
        {
            await store.DeleteAsync(objects.Part, PutCondition.Always, CancellationToken.None).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>How far the file is. One of which not even the header is whole begins anew.</summary>
    private async Task<UploadState?> ReadStateAsync(CancellationToken cancellationToken)
    {
        UploadState? state = await UploadState.ReadAsync(store, objects, cancellationToken).ConfigureAwait(false);
        if (state is not { StoredBytes: > 0 and < EncryptedLayout.HeaderBytes }) return state;
        await store.DeleteAsync(objects.Sealed, PutCondition.Always, cancellationToken).ConfigureAwait(false);
        return state with { StoredBytes = 0 };
    }

    /// <summary>Goes on under the stored header, or begins with a fresh one.</summary>
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
        int read = await store.ReadRangeAsync(objects.Sealed, offset, bytes, cancellationToken).ConfigureAwait(false);
        return read == count ? bytes : throw new StoreException(StoreError.Damaged, "the file is shorter than it was a moment ago");
    }

    private static void Require(ContentDigest digest, IncrementalHash hash)
    {
        if (!digest.Equals(new ContentDigest(hash.GetHashAndReset()))) throw ObjectStore.DigestMismatch();
    }
}
