using System.Buffers.Binary;

namespace TinyLlm.Storage;

/// <summary>
/// What an upload has beyond its last full chunk. It can't be appended to the file: the chunk that it will be part of may be encrypted only once, or
/// two plaintexts would meet one nonce. So it is an object of its own, encrypted anew under a fresh salt each time: its position in the plaintext
/// (8 bytes, big-endian, bound by the encryption), then a sealed file of less than a chunk.
/// </summary>
internal sealed class UploadTail
{
    private const int PositionBytes = sizeof(long);

    private readonly ReadOnlyMemory<byte> sealedBytes;

    private UploadTail(long position, int length, ReadOnlyMemory<byte> sealedBytes)
    {
        Position = position;
        Length = length;
        this.sealedBytes = sealedBytes;
    }

    /// <summary>Where it begins. A tail that begins elsewhere than where the full chunks end is one that the file has grown past.</summary>
    public long Position { get; }

    public int Length { get; }

    /// <exception cref="StoreException">Damaged.</exception>
    public static UploadTail Parse(ReadOnlyMemory<byte> stored)
    {
        bool whole = EncryptedLayout.TryGetPlaintextLength(stored.Length - PositionBytes, out long length) && length < EncryptedLayout.ChunkBytes;
        return whole
            ? new UploadTail(BinaryPrimitives.ReadInt64BigEndian(stored.Span), (int)length, stored[PositionBytes..])
            : throw new StoreException(StoreError.Damaged, "the tail of an upload is not as it was written");
    }

    /// <summary>The object's bytes.</summary>
    public static byte[] Seal(VersionKey key, ModelFileName file, long position, ReadOnlySpan<byte> plaintext)
    {
        using FileEncryptor encryptor = key.BeginPiece(file, NameOf(position));
        byte[] stored = new byte[PositionBytes + EncryptedLayout.EncryptedLength(plaintext.Length)];
        BinaryPrimitives.WriteInt64BigEndian(stored, position);
        encryptor.Header.CopyTo(stored.AsMemory(PositionBytes));
        encryptor.EncryptFinal(0, plaintext, stored.AsSpan(PositionBytes + EncryptedLayout.HeaderBytes));
        return stored;
    }

    /// <summary>The plaintext.</summary>
    /// <exception cref="StoreException">Damaged: it is not this file's, or not of this position.</exception>
    public byte[] Open(VersionKey key, ModelFileName file)
    {
        using FileDecryptor decryptor = key.OpenPiece(file, NameOf(Position), sealedBytes.Span[..EncryptedLayout.HeaderBytes], sealedBytes.Length);
        byte[] plaintext = new byte[Length];
        decryptor.DecryptChunks(0, sealedBytes.Span[EncryptedLayout.HeaderBytes..], plaintext);
        return plaintext;
    }

    private static string NameOf(long position) => $"tail {position}";
}
