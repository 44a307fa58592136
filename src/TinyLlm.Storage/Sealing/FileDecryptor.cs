using System.Security.Cryptography;

namespace TinyLlm.Storage;

/// <summary>
/// Decrypts one file (<see cref="EncryptedLayout"/>) at random, on as many threads as call it, into the caller's buffers and without allocation.
/// No byte comes out that is not authentic at its place: <see cref="Open"/> checks the commitment, so a header of another key, owner, version or file
/// is refused before anything is decrypted, and the length, so a file cut at a chunk's border is too; a chunk that was changed, moved, or cut is
/// refused where it is read. The length as a whole is proven by the last chunk: a reader of parts calls <see cref="RequireWhole"/> with it first
/// or compares the length with one that it trusts, such as a signed manifest's.
/// <code>
/// using FileDecryptor decryptor = FileDecryptor.Open(dataKey, context, header, storedLength);
/// // any run of chunks, here [first, first + count): read decryptor.EncryptedRange(first, count), then
/// int bytes = decryptor.DecryptChunks(first, encrypted, buffer);   // plaintext from first * ChunkBytes on
/// </code>
/// </summary>
public sealed class FileDecryptor : IDisposable
{
    private readonly ChunkCipher cipher;

    private FileDecryptor(ChunkCipher cipher, long plaintextBytes)
    {
        this.cipher = cipher;
        PlaintextLength = plaintextBytes;
        ChunkCount = EncryptedLayout.ChunkCount(plaintextBytes);
    }

    /// <summary>Bytes of the file's plaintext, if its last chunk is authentic.</summary>
    public long PlaintextLength { get; }

    /// <summary>Chunks of the file; the last one is short.</summary>
    public long ChunkCount { get; }

    /// <summary>Commits to key, salt and context; the manifest names the same one.</summary>
    public ReadOnlySpan<byte> Commitment => cipher.Commitment;

    /// <summary>Checks that the header was made with this key for this context, and that a whole file can have this length.</summary>
    /// <param name="dataKey">The version's data key.</param>
    /// <param name="context">What the file is, as at its encryption.</param>
    /// <param name="header">The stored file's first <see cref="EncryptedLayout.HeaderBytes"/> bytes.</param>
    /// <param name="encryptedBytes">The stored file's length.</param>
    /// <exception cref="StoreException">Damaged.</exception>
    public static FileDecryptor Open(ReadOnlySpan<byte> dataKey, ReadOnlySpan<byte> context, ReadOnlySpan<byte> header, long encryptedBytes)
    {
        if (!EncryptedLayout.TryGetPlaintextLength(encryptedBytes, out long plaintextBytes)) throw Damaged("the encrypted file is cut off");
        RequireHeader(header);
        ChunkCipher cipher = new(new DerivedKeys(dataKey, header[..EncryptedLayout.SaltBytes], context));
        if (CryptographicOperations.FixedTimeEquals(cipher.Commitment, header[EncryptedLayout.SaltBytes..])) return new FileDecryptor(cipher, plaintextBytes);
        cipher.Dispose();
        throw NotThisFile();
    }

    /// <summary>Where <paramref name="count"/> chunks from <paramref name="firstChunk"/> on lie in the stored file.</summary>
    public (long Offset, int Length) EncryptedRange(long firstChunk, int count)
    {
        RequireChunks(firstChunk, count);
        return (EncryptedLayout.OffsetOfChunk(firstChunk), PlaintextBytesOf(firstChunk, count) + (count * EncryptedLayout.TagBytes));
    }

    /// <summary>Decrypts whole consecutive chunks.</summary>
    /// <param name="firstChunk">The number of the first.</param>
    /// <param name="encrypted">Exactly their bytes, as <see cref="EncryptedRange"/> names them.</param>
    /// <param name="destination">Room for their plaintext, apart from <paramref name="encrypted"/>; when this throws it holds none of it.</param>
    /// <returns>Bytes of plaintext, the position of which is <paramref name="firstChunk"/> times <see cref="EncryptedLayout.ChunkBytes"/>.</returns>
    /// <exception cref="StoreException">Damaged: one of the chunks is not what was written at its place.</exception>
    public int DecryptChunks(long firstChunk, ReadOnlySpan<byte> encrypted, Span<byte> destination)
    {
        int chunks = (encrypted.Length + EncryptedLayout.EncryptedChunkBytes - 1) / EncryptedLayout.EncryptedChunkBytes;
        RequireChunks(firstChunk, chunks);
        int length = PlaintextBytesOf(firstChunk, chunks);
        if (encrypted.Length != length + (chunks * EncryptedLayout.TagBytes))
            throw Damaged($"chunks {firstChunk} to {firstChunk + chunks - 1} have {length + (chunks * EncryptedLayout.TagBytes)} encrypted bytes, and {encrypted.Length} are there");
        if (destination.Length < length) throw new ArgumentException($"{length} bytes are needed, and there is room for {destination.Length}", nameof(destination));
        if (cipher.TryDecrypt(firstChunk, encrypted, destination[..length])) return length;
        throw Damaged($"a chunk of {firstChunk} to {firstChunk + chunks - 1} is not what was written there");
    }

    /// <summary>Proves the file's length by its last chunk: nothing was cut off or added.</summary>
    /// <param name="lastChunk">The bytes of <c>EncryptedRange(ChunkCount - 1, 1)</c>.</param>
    /// <exception cref="StoreException">Damaged.</exception>
    public void RequireWhole(ReadOnlySpan<byte> lastChunk)
    {
        Span<byte> plaintext = stackalloc byte[EncryptedLayout.ChunkBytes];
        DecryptChunks(ChunkCount - 1, lastChunk, plaintext);
        CryptographicOperations.ZeroMemory(plaintext);
    }

    public void Dispose() => cipher.Dispose();

    internal static void RequireHeader(ReadOnlySpan<byte> header)
    {
        if (header.Length != EncryptedLayout.HeaderBytes) throw Damaged($"an encrypted file's header has {EncryptedLayout.HeaderBytes} bytes, and {header.Length} are there");
    }

    internal static StoreException NotThisFile() => Damaged("the encrypted file belongs to another key, owner, version or name");

    private int PlaintextBytesOf(long firstChunk, int chunks)
    {
        long end = Math.Min((firstChunk + chunks) * EncryptedLayout.ChunkBytes, PlaintextLength);
        return checked((int)(end - (firstChunk * EncryptedLayout.ChunkBytes)));
    }

    private void RequireChunks(long firstChunk, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(firstChunk);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        if (count > ChunkCount - firstChunk) throw new ArgumentOutOfRangeException(nameof(count), count, $"the file has {ChunkCount} chunks");
    }

    private static StoreException Damaged(string why) => new(StoreError.Damaged, why);
}
