using System.Buffers.Binary;
using System.Security.Cryptography;

namespace TinyLlm.Storage;

/// <summary>
/// What an upload has beyond its last full chunk. It can't be appended to the file: the chunk that it will be part of may be encrypted only once, or
/// two plaintexts would meet one nonce. So it is an object of its own, encrypted anew under a fresh salt each time: a byte that names this format, its
/// position in the plaintext (7 bytes, big-endian), the commitment of the file that it follows, and a sealed file of less than a chunk, to which both are
/// bound. A file that was begun anew has another commitment, so a tail that comes late never continues what another writer sent.
/// </summary>
internal sealed class UploadTail
{
    // Those of before the commitment was kept had no format: their position took eight bytes, of which the first is zero.
    private const byte Format = 1;
    private const int PositionBytes = sizeof(long);
    private const int BoundBytes = PositionBytes + EncryptedLayout.CommitmentBytes;

    private readonly ReadOnlyMemory<byte> stored;

    private UploadTail(long position, int length, ReadOnlyMemory<byte> stored)
    {
        Position = position;
        Length = length;
        this.stored = stored;
    }

    /// <summary>Where it begins. A tail that begins elsewhere than where the full chunks end is one that the file has grown past.</summary>
    public long Position { get; }

    public int Length { get; }

    private ReadOnlyMemory<byte> Commitment => stored[PositionBytes..BoundBytes];

    private ReadOnlyMemory<byte> Sealed => stored[BoundBytes..];

    /// <summary>Whether a stored tail is of a version of this program whose tails could continue a file that was begun anew: none of it counts.</summary>
    public static bool IsOutdated(ReadOnlySpan<byte> stored) => stored is [0, ..];

    /// <exception cref="StoreException">Damaged.</exception>
    public static UploadTail Parse(ReadOnlyMemory<byte> stored)
    {
        bool whole = EncryptedLayout.TryGetPlaintextLength(stored.Length - BoundBytes, out long length) && length < EncryptedLayout.ChunkBytes && stored.Span[0] == Format;
        if (!whole) throw new StoreException(StoreError.Damaged, "the tail of an upload is not as it was written");
        long position = BinaryPrimitives.ReadInt64BigEndian(stored.Span) & (long.MaxValue >> 7);
        return new UploadTail(position, (int)length, stored);
    }

    /// <summary>The object's bytes.</summary>
    /// <param name="key">The version's key.</param>
    /// <param name="file">The file.</param>
    /// <param name="commitment">The file's, under which its full chunks are encrypted.</param>
    /// <param name="position">Where they end.</param>
    /// <param name="plaintext">What follows them.</param>
    public static byte[] Seal(VersionKey key, ModelFileName file, ReadOnlyMemory<byte> commitment, long position, ReadOnlySpan<byte> plaintext)
    {
        using FileEncryptor encryptor = key.BeginPiece(file, NameOf(position, commitment));
        byte[] stored = new byte[BoundBytes + EncryptedLayout.EncryptedLength(plaintext.Length)];
        BinaryPrimitives.WriteInt64BigEndian(stored, position);
        stored[0] = Format;
        commitment.CopyTo(stored.AsMemory(PositionBytes));
        encryptor.Header.CopyTo(stored.AsMemory(BoundBytes));
        encryptor.EncryptFinal(0, plaintext, stored.AsSpan(BoundBytes + EncryptedLayout.HeaderBytes));
        return stored;
    }

    /// <summary>Whether it continues the file of this header.</summary>
    public bool Follows(ReadOnlySpan<byte> header) =>
        header.Length == EncryptedLayout.HeaderBytes && CryptographicOperations.FixedTimeEquals(Commitment.Span, header[EncryptedLayout.SaltBytes..]);

    /// <summary>The plaintext.</summary>
    /// <exception cref="StoreException">Damaged: it is not this file's, not of this position, or not of these chunks.</exception>
    public byte[] Open(VersionKey key, ModelFileName file)
    {
        using FileDecryptor decryptor = key.OpenPiece(file, NameOf(Position, Commitment), Sealed.Span[..EncryptedLayout.HeaderBytes], Sealed.Length);
        byte[] plaintext = new byte[Length];
        decryptor.DecryptChunks(0, Sealed.Span[EncryptedLayout.HeaderBytes..], plaintext);
        return plaintext;
    }

    private static string NameOf(long position, ReadOnlyMemory<byte> commitment) => $"tail {position} of {Convert.ToHexStringLower(commitment.Span)}";
}
