namespace TinyLlm.Storage;

/// <summary>
/// Where things lie in an encrypted file, as <see href="https://c2sp.org/chunked-encryption">C2SP chunked-encryption</see> says: a header (salt and
/// commitment), then chunks of 16 KiB with a tag each, of which the last is strictly shorter and may be empty. So every plaintext length has one
/// encrypted length, and a file that ends after a full chunk is known to be cut off. Plain arithmetic; knows no key.
/// </summary>
public static class EncryptedLayout
{
    /// <summary>Plaintext bytes of every chunk but the last.</summary>
    public const int ChunkBytes = 16 << 10;

    /// <summary>Bytes of a chunk's authentication tag, which follows the chunk's bytes.</summary>
    public const int TagBytes = 16;

    /// <summary>A full chunk with its tag.</summary>
    public const int EncryptedChunkBytes = ChunkBytes + TagBytes;

    /// <summary>Random bytes at the file's beginning.</summary>
    public const int SaltBytes = 24;

    /// <summary>Bytes after the salt that commit to key, salt and context.</summary>
    public const int CommitmentBytes = 32;

    /// <summary>Bytes before the first chunk.</summary>
    public const int HeaderBytes = SaltBytes + CommitmentBytes;

    /// <summary>The specification's bound on chunks of a file.</summary>
    public const long MaxChunks = 1L << 38;

    /// <summary>The longest plaintext: 4 PiB less a byte.</summary>
    public const long MaxPlaintextBytes = (MaxChunks * ChunkBytes) - 1;

    /// <summary>The length of the whole file that <paramref name="plaintextBytes"/> become.</summary>
    public static long EncryptedLength(long plaintextBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(plaintextBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(plaintextBytes, MaxPlaintextBytes);
        return HeaderBytes + plaintextBytes + (ChunkCount(plaintextBytes) * TagBytes);
    }

    /// <summary>The plaintext length of a whole encrypted file; false when no plaintext gives a file of this length: it is cut off, or not complete yet.</summary>
    public static bool TryGetPlaintextLength(long encryptedBytes, out long plaintextBytes)
    {
        long chunks = (encryptedBytes - HeaderBytes) / EncryptedChunkBytes;
        long lastChunk = (encryptedBytes - HeaderBytes) % EncryptedChunkBytes;
        bool whole = encryptedBytes >= HeaderBytes + TagBytes && lastChunk >= TagBytes && chunks < MaxChunks;
        plaintextBytes = whole ? (chunks * ChunkBytes) + lastChunk - TagBytes : 0;
        return whole;
    }

    /// <summary>How many plaintext bytes lie in a file to which full chunks alone were written so far; false when it ends elsewhere than after a chunk.</summary>
    public static bool TryGetWrittenPlaintext(long encryptedBytes, out long plaintextBytes)
    {
        bool whole = encryptedBytes == 0 || (encryptedBytes >= HeaderBytes && (encryptedBytes - HeaderBytes) % EncryptedChunkBytes == 0);
        plaintextBytes = whole && encryptedBytes > 0 ? (encryptedBytes - HeaderBytes) / EncryptedChunkBytes * ChunkBytes : 0;
        return whole;
    }

    /// <summary>Chunks of a whole file, the last one included: never 0.</summary>
    public static long ChunkCount(long plaintextBytes) => (plaintextBytes / ChunkBytes) + 1;

    /// <summary>The chunk that holds a plaintext position.</summary>
    public static long ChunkOf(long plaintextOffset) => plaintextOffset / ChunkBytes;

    /// <summary>Where a chunk begins in the encrypted file.</summary>
    public static long OffsetOfChunk(long chunk)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(chunk);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(chunk, MaxChunks);
        return HeaderBytes + (chunk * EncryptedChunkBytes);
    }
}
