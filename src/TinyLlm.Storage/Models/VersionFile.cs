using System.Buffers;

namespace TinyLlm.Storage;

/// <summary>
/// One stored file of a version, read at any place and from many threads: decrypted and checked chunk by chunk where the version is encrypted, as it is
/// where not. Nothing comes out that is not authentic; a file that is not encrypted is checked by its digest, which is its reader's work.
/// </summary>
public sealed class VersionFile : IDisposable
{
    /// <summary>A good size for one of several parallel reads: just under 4 MiB as stored, and whole chunks.</summary>
    public const int RangeBytes = 255 * EncryptedLayout.ChunkBytes;

    /// <summary>Read and decrypted in one go: half a megabyte lies in a core's cache, where 4 MiB took a fifth longer.</summary>
    private const int PieceChunks = 32;

    private readonly ObjectStore store;
    private readonly string name;
    private readonly FileDecryptor? decryptor;

    private VersionFile(ObjectStore store, string name, long length, FileDecryptor? decryptor)
    {
        this.store = store;
        this.name = name;
        this.decryptor = decryptor;
        Length = length;
    }

    /// <summary>Bytes of the plaintext.</summary>
    public long Length { get; }

    /// <summary>What binds an encrypted file to key, salt and context (<see cref="FileDecryptor.Commitment"/>); null where it is not encrypted.</summary>
    public string? Commitment => decryptor is null ? null : ManifestFile.CommitmentText(decryptor.Commitment);

    /// <summary>Opens a file that is not encrypted.</summary>
    /// <exception cref="StoreException">NotFound.</exception>
    internal static async Task<VersionFile> OpenPlainAsync(ObjectStore store, string name, CancellationToken cancellationToken)
    {
        long length = await store.LengthAsync(name, cancellationToken).ConfigureAwait(false) ?? throw NotFound();
        return new VersionFile(store, name, length, null);
    }

    /// <summary>Opens an encrypted one.</summary>
    /// <exception cref="StoreException">NotFound, Damaged.</exception>
    internal static async Task<VersionFile> OpenSealedAsync(
        ObjectStore store, string name, Func<ReadOnlySpan<byte>, long, FileDecryptor> open, CancellationToken cancellationToken)
    {
        long stored = await store.LengthAsync(name, cancellationToken).ConfigureAwait(false) ?? throw NotFound();
        byte[] header = new byte[EncryptedLayout.HeaderBytes];
        int read = await store.ReadRangeAsync(name, 0, header, cancellationToken).ConfigureAwait(false);
        FileDecryptor decryptor = open(header.AsSpan(0, read), stored);
        return new VersionFile(store, name, decryptor.PlaintextLength, decryptor);
    }

    /// <summary>Fills <paramref name="destination"/> from <paramref name="offset"/> on; the file must have all of it.</summary>
    /// <exception cref="StoreException">Damaged: it is shorter than it was, or not what was written there. The destination holds none of the damaged chunks then.</exception>
    public async Task ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Length - destination.Length, nameof(offset));
        if (decryptor is null)
        {
            await ReadStoredAsync(offset, destination, cancellationToken).ConfigureAwait(false);
            return;
        }
        while (!destination.IsEmpty)
        {
            int count = Math.Min(destination.Length, RangeBytes - (int)(offset % EncryptedLayout.ChunkBytes));
            await DecryptAsync(decryptor, offset, destination[..count], cancellationToken).ConfigureAwait(false);
            offset += count;
            destination = destination[count..];
        }
    }

    /// <summary>A seekable stream over the file, which it disposes.</summary>
    public Stream AsStream() => new VersionFileStream(this);

    public void Dispose() => decryptor?.Dispose();

    /// <summary>Reads the chunks that hold the wanted bytes, and decrypts each piece of them as it comes: in place where all of its plaintext is wanted.</summary>
    private async Task DecryptAsync(FileDecryptor decryptor, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        long chunk = EncryptedLayout.ChunkOf(offset);
        int chunks = (int)(EncryptedLayout.ChunkOf(offset + destination.Length - 1) - chunk) + 1;
        (long storedOffset, int storedCount) = decryptor.EncryptedRange(chunk, chunks);
        int pieceBytes = Math.Min(storedCount, PieceChunks * EncryptedLayout.EncryptedChunkBytes);
        byte[] encrypted = ArrayPool<byte>.Shared.Rent(pieceBytes);
        byte[]? plaintext = null;
        try
        {
            long read = await store.ReadPiecesAsync(name, storedOffset, storedCount, encrypted.AsMemory(0, pieceBytes), Decrypt, cancellationToken).ConfigureAwait(false);
            if (read < storedCount) throw CutOff();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(encrypted);
            if (plaintext is not null) ArrayPool<byte>.Shared.Return(plaintext, clearArray: true);
        }

        void Decrypt(ReadOnlySpan<byte> piece)
        {
            int inPiece = (piece.Length + EncryptedLayout.EncryptedChunkBytes - 1) / EncryptedLayout.EncryptedChunkBytes;
            int count = piece.Length - (inPiece * EncryptedLayout.TagBytes);
            int begin = (int)((chunk * EncryptedLayout.ChunkBytes) - offset); // of the piece, among the wanted bytes; before them it is negative
            if (begin >= 0 && begin + count <= destination.Length)
            {
                decryptor.DecryptChunks(chunk, piece, destination.Span[begin..]);
            }
            else
            {
                plaintext ??= ArrayPool<byte>.Shared.Rent(pieceBytes);
                decryptor.DecryptChunks(chunk, piece, plaintext);
                int from = Math.Max(0, -begin), to = Math.Min(count, destination.Length - begin);
                plaintext.AsSpan(from..to).CopyTo(destination.Span[(begin + from)..]);
            }
            chunk += inPiece;
        }
    }

    private async Task ReadStoredAsync(long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        int read = await store.ReadRangeAsync(name, offset, destination, cancellationToken).ConfigureAwait(false);
        if (read < destination.Length) throw CutOff();
    }

    private static StoreException CutOff() => new(StoreError.Damaged, "the file is shorter than it was when it was opened");

    private static StoreException NotFound() => new(StoreError.NotFound, "the version has no such file");
}
