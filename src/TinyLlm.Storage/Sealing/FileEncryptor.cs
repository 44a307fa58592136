using System.Security.Cryptography;

namespace TinyLlm.Storage;

/// <summary>
/// Encrypts one file in pieces, in the layout of <see cref="EncryptedLayout"/>: write <see cref="Header"/>, then full chunks with
/// <see cref="EncryptChunks"/> in any number of calls, and once, at the end, <see cref="EncryptFinal"/>. The position is the caller's to keep
/// (a stored length gives it: <see cref="EncryptedLayout.TryGetWrittenPlaintext"/>), so an upload goes on in another process by
/// <see cref="Resume"/>, and pieces may be encrypted on many threads.
/// <para>
/// One rule is the caller's: under one header, a chunk number meets one plaintext. The same bytes again give the same ciphertext and do no harm;
/// other bytes at a place that was written before need a new header, so a file that is sent anew begins with <see cref="Begin"/>.
/// </para>
/// </summary>
public sealed class FileEncryptor : IDisposable
{
    private readonly ChunkCipher cipher;
    private readonly byte[] header;

    private FileEncryptor(ChunkCipher cipher, byte[] header)
    {
        this.cipher = cipher;
        this.header = header;
    }

    /// <summary>The file's first <see cref="EncryptedLayout.HeaderBytes"/> bytes.</summary>
    public ReadOnlyMemory<byte> Header => header;

    /// <summary>Commits to key, salt and context; the manifest binds it.</summary>
    public ReadOnlyMemory<byte> Commitment => header.AsMemory(EncryptedLayout.SaltBytes);

    /// <summary>Begins a file with a fresh salt.</summary>
    /// <param name="dataKey">32 secret, random bytes.</param>
    /// <param name="context">What the file is: only the same context decrypts it.</param>
    public static FileEncryptor Begin(ReadOnlySpan<byte> dataKey, ReadOnlySpan<byte> context)
    {
        Span<byte> salt = stackalloc byte[EncryptedLayout.SaltBytes];
        RandomNumberGenerator.Fill(salt);
        return WithSalt(dataKey, salt, context);
    }

    /// <summary>Goes on with a file whose header was written before.</summary>
    /// <exception cref="StoreException">Damaged: the header is another key's, or another file's.</exception>
    public static FileEncryptor Resume(ReadOnlySpan<byte> dataKey, ReadOnlySpan<byte> context, ReadOnlySpan<byte> header)
    {
        FileDecryptor.RequireHeader(header);
        FileEncryptor encryptor = WithSalt(dataKey, header[..EncryptedLayout.SaltBytes], context);
        if (CryptographicOperations.FixedTimeEquals(encryptor.header, header)) return encryptor;
        encryptor.Dispose();
        throw FileDecryptor.NotThisFile();
    }

    /// <summary>With a salt of the caller's choice; for <see cref="Begin"/>, and for tests that compare bytes.</summary>
    internal static FileEncryptor WithSalt(ReadOnlySpan<byte> dataKey, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> context)
    {
        ChunkCipher cipher = new(new DerivedKeys(dataKey, salt, context));
        return new FileEncryptor(cipher, [.. salt, .. cipher.Commitment]);
    }

    /// <summary>Encrypts full chunks.</summary>
    /// <param name="firstChunk">The number of the first of them: its plaintext position divided by <see cref="EncryptedLayout.ChunkBytes"/>.</param>
    /// <param name="plaintext">A multiple of <see cref="EncryptedLayout.ChunkBytes"/>.</param>
    /// <param name="destination">Room for them with their tags; belongs at <see cref="EncryptedLayout.OffsetOfChunk"/> of the file.</param>
    /// <returns>Bytes written to <paramref name="destination"/>.</returns>
    public int EncryptChunks(long firstChunk, ReadOnlySpan<byte> plaintext, Span<byte> destination)
    {
        (int chunks, int rest) = Math.DivRem(plaintext.Length, EncryptedLayout.ChunkBytes);
        if (rest != 0) throw new ArgumentException($"{plaintext.Length} bytes are no multiple of {EncryptedLayout.ChunkBytes}", nameof(plaintext));
        int length = checked(chunks * EncryptedLayout.EncryptedChunkBytes);
        Require(firstChunk, chunks, destination.Length, length);
        cipher.Encrypt(firstChunk, plaintext, destination[..length], chunks);
        return length;
    }

    /// <summary>Encrypts the last chunk, which ends the file.</summary>
    /// <param name="chunk">Its number: the count of full chunks before it.</param>
    /// <param name="plaintext">Less than <see cref="EncryptedLayout.ChunkBytes"/>, and empty when the file is a multiple of them.</param>
    /// <param name="destination">Room for it with its tag.</param>
    /// <returns>Bytes written to <paramref name="destination"/>.</returns>
    public int EncryptFinal(long chunk, ReadOnlySpan<byte> plaintext, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(plaintext.Length, EncryptedLayout.ChunkBytes);
        int length = plaintext.Length + EncryptedLayout.TagBytes;
        Require(chunk, 1, destination.Length, length);
        cipher.Encrypt(chunk, plaintext, destination[..length], 1);
        return length;
    }

    public void Dispose() => cipher.Dispose();

    private static void Require(long firstChunk, int chunks, int room, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(firstChunk);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(firstChunk, EncryptedLayout.MaxChunks - chunks);
        if (room < length) throw new ArgumentException($"{length} bytes are needed, and there is room for {room}", nameof(room));
    }
}
