using System.Security.Cryptography;

namespace TinyLlm.Storage;

/// <summary>
/// What HKDF-Expand-SHA-512 makes of a data key, a file's salt and its context: the file's own AES-256 key, base nonce and commitment.
/// Cobblestone-256 of C2SP chunked-encryption. (<see cref="HKDF.Expand(HashAlgorithmName, ReadOnlySpan{byte}, Span{byte}, ReadOnlySpan{byte})"/>
/// refuses a key shorter than its hash, so its two rounds are spelled out.)
/// </summary>
internal sealed class DerivedKeys
{
    public const int DataKeyBytes = 32;
    public const int NonceBytes = 12;

    private const int KeyBytes = 32;

    public DerivedKeys(ReadOnlySpan<byte> dataKey, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> context)
    {
        if (dataKey.Length != DataKeyBytes) throw new ArgumentException($"a data key has {DataKeyBytes} bytes, not {dataKey.Length}", nameof(dataKey));
        if (salt.Length != EncryptedLayout.SaltBytes) throw new ArgumentException($"a salt has {EncryptedLayout.SaltBytes} bytes, not {salt.Length}", nameof(salt));

        Span<byte> output = stackalloc byte[2 * HMACSHA512.HashSizeInBytes];
        using IncrementalHash hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA512, dataKey);
        Span<byte> first = output[..HMACSHA512.HashSizeInBytes];
        Round(hmac, [], salt, context, 1, first);
        Round(hmac, first, salt, context, 2, output[HMACSHA512.HashSizeInBytes..]);
        Key = output[..KeyBytes].ToArray();
        BaseNonce = output.Slice(KeyBytes, NonceBytes).ToArray();
        Commitment = output.Slice(KeyBytes + NonceBytes, EncryptedLayout.CommitmentBytes).ToArray();
        CryptographicOperations.ZeroMemory(output);
    }

    public byte[] Key { get; }

    public byte[] BaseNonce { get; }

    public byte[] Commitment { get; }

    private static void Round(
        IncrementalHash hmac, ReadOnlySpan<byte> previous, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> context, byte counter, Span<byte> output)
    {
        hmac.AppendData(previous);
        hmac.AppendData("c2sp.org/chunked-encryption@v1+"u8);
        hmac.AppendData("AEAD_AES_256_GCM\0"u8);
        hmac.AppendData(salt);
        hmac.AppendData(context);
        hmac.AppendData([counter]);
        hmac.GetHashAndReset(output);
    }
}
