using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace TinyLlm.Storage;

/// <summary>
/// AES-256-GCM over one file's chunks: the nonce is the base nonce XOR the chunk's number, there is no additional data. Safe from many threads:
/// <see cref="AesGcm"/> is not, so each call borrows one, and none is made per chunk. Disposing wipes the key.
/// </summary>
internal sealed class ChunkCipher(DerivedKeys keys) : IDisposable
{
    private readonly ConcurrentBag<AesGcm> idle = [];
    private volatile bool disposed;

    public ReadOnlySpan<byte> Commitment => keys.Commitment;

    /// <summary>Encrypts <paramref name="plaintext"/> as consecutive chunks; only the last of them may be short.</summary>
    public void Encrypt(long firstChunk, ReadOnlySpan<byte> plaintext, Span<byte> encrypted, int chunks)
    {
        AesGcm aes = Borrow();
        Span<byte> nonce = stackalloc byte[DerivedKeys.NonceBytes];
        for (int i = 0; i < chunks; i++)
        {
            int count = Math.Min(plaintext.Length, EncryptedLayout.ChunkBytes);
            WriteNonce(firstChunk + i, nonce);
            aes.Encrypt(nonce, plaintext[..count], encrypted[..count], encrypted.Slice(count, EncryptedLayout.TagBytes));
            plaintext = plaintext[count..];
            encrypted = encrypted[(count + EncryptedLayout.TagBytes)..];
        }
        idle.Add(aes);
    }

    /// <summary>Decrypts consecutive chunks; only the last may be short. False when one of them is not authentic: nothing is in <paramref name="plaintext"/> then.</summary>
    public bool TryDecrypt(long firstChunk, ReadOnlySpan<byte> encrypted, Span<byte> plaintext)
    {
        AesGcm aes = Borrow();
        Span<byte> nonce = stackalloc byte[DerivedKeys.NonceBytes];
        Span<byte> rest = plaintext;
        try
        {
            for (long chunk = firstChunk; !encrypted.IsEmpty; chunk++)
            {
                int count = Math.Min(encrypted.Length, EncryptedLayout.EncryptedChunkBytes) - EncryptedLayout.TagBytes;
                WriteNonce(chunk, nonce);
                aes.Decrypt(nonce, encrypted[..count], encrypted.Slice(count, EncryptedLayout.TagBytes), rest[..count]);
                rest = rest[count..];
                encrypted = encrypted[(count + EncryptedLayout.TagBytes)..];
            }
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            plaintext.Clear();
            return false;
        }
        finally
        {
            idle.Add(aes);
        }
    }

    public void Dispose()
    {
        disposed = true;
        CryptographicOperations.ZeroMemory(keys.Key);
        while (idle.TryTake(out AesGcm? aes)) aes.Dispose();
    }

    private AesGcm Borrow()
    {
        if (!idle.TryTake(out AesGcm? aes)) aes = new AesGcm(keys.Key, EncryptedLayout.TagBytes);
        if (!disposed) return aes;
        aes.Dispose(); // looked at last: the key may have been wiped while it was taken
        throw new ObjectDisposedException(nameof(ChunkCipher));
    }

    private void WriteNonce(long chunk, Span<byte> nonce)
    {
        keys.BaseNonce.CopyTo(nonce);
        Span<byte> counter = nonce[^sizeof(ulong)..];
        BinaryPrimitives.WriteUInt64BigEndian(counter, BinaryPrimitives.ReadUInt64BigEndian(counter) ^ (ulong)chunk);
    }
}
