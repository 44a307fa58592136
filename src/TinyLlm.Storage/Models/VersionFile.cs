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
            int inChunk = (int)(offset % EncryptedLayout.ChunkBytes);
            int count = Math.Min(destination.Length, RangeBytes - inChunk);
            await DecryptAsync(decryptor, offset - inChunk, inChunk, destination[..count], cancellationToken).ConfigureAwait(false);
            offset += count;
            destination = destination[count..];
        }
    }

    /// <summary>A seekable stream over the file, which it disposes.</summary>
    public Stream AsStream() => new VersionFileStream(this);

    public void Dispose() => decryptor?.Dispose();

    /// <summary>Reads the chunks that hold the wanted bytes, and decrypts them in place where the bytes are all of their plaintext.</summary>
    private async Task DecryptAsync(FileDecryptor decryptor, long begin, int skip, Memory<byte> destination, CancellationToken cancellationToken)
    {
        long firstChunk = EncryptedLayout.ChunkOf(begin);
        int chunks = (skip + destination.Length + EncryptedLayout.ChunkBytes - 1) / EncryptedLayout.ChunkBytes;
        (long storedOffset, int storedCount) = decryptor.EncryptedRange(firstChunk, chunks);
        int plaintextCount = storedCount - (chunks * EncryptedLayout.TagBytes);
        byte[] encrypted = ArrayPool<byte>.Shared.Rent(storedCount);
        byte[]? plaintext = skip == 0 && plaintextCount == destination.Length ? null : ArrayPool<byte>.Shared.Rent(plaintextCount);
        try
        {
            await ReadStoredAsync(storedOffset, encrypted.AsMemory(0, storedCount), cancellationToken).ConfigureAwait(false);
            decryptor.DecryptChunks(firstChunk, encrypted.AsSpan(0, storedCount), plaintext is null ? destination.Span : plaintext);
            plaintext?.AsSpan(skip, destination.Length).CopyTo(destination.Span);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(encrypted);
            if (plaintext is not null) ArrayPool<byte>.Shared.Return(plaintext, clearArray: true);
        }
    }

    private async Task ReadStoredAsync(long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        int read = await store.ReadRangeAsync(name, offset, destination, cancellationToken).ConfigureAwait(false);
        if (read < destination.Length) throw new StoreException(StoreError.Damaged, "the file is shorter than it was when it was opened");
    }

    private static StoreException NotFound() => new(StoreError.NotFound, "the version has no such file");
}
