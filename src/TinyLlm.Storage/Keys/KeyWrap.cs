using System.Security.Cryptography;

namespace TinyLlm.Storage;

/// <summary>One key encrypted by another: AES-256-GCM with a random nonce, bound to what the inner key is for. Bytes: nonce, ciphertext, tag.</summary>
internal static class KeyWrap
{
    public const int KeyBytes = 32;

    private const int NonceBytes = 12;
    private const int TagBytes = 16;
    private const int WrappedBytes = NonceBytes + KeyBytes + TagBytes;

    public static byte[] Wrap(ReadOnlySpan<byte> wrappingKey, ReadOnlySpan<byte> key, ReadOnlySpan<byte> purpose)
    {
        byte[] wrapped = new byte[WrappedBytes];
        Span<byte> nonce = wrapped.AsSpan(0, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        using AesGcm aes = new(wrappingKey, TagBytes);
        aes.Encrypt(nonce, key, wrapped.AsSpan(NonceBytes, KeyBytes), wrapped.AsSpan(NonceBytes + KeyBytes), purpose);
        return wrapped;
    }

    /// <summary>The inner key; null when these bytes are not what <see cref="Wrap"/> made of it with this key for this purpose.</summary>
    public static byte[]? TryUnwrap(ReadOnlySpan<byte> wrappingKey, ReadOnlySpan<byte> wrapped, ReadOnlySpan<byte> purpose)
    {
        if (wrapped.Length != WrappedBytes) return null;
        byte[] key = new byte[KeyBytes];
        using AesGcm aes = new(wrappingKey, TagBytes);
        try
        {
            aes.Decrypt(wrapped[..NonceBytes], wrapped.Slice(NonceBytes, KeyBytes), wrapped[(NonceBytes + KeyBytes)..], key, purpose);
            return key;
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
    }

    /// <summary>Names a key without telling anything of it: 16 hex digits of its SHA-256.</summary>
    public static string IdOf(ReadOnlySpan<byte> key) => Convert.ToHexStringLower(SHA256.HashData(key))[..16];
}
