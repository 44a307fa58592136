namespace TinyLlm.Storage.Tests.Sealing;

/// <summary>Messages to encrypt, and whole files of them.</summary>
internal static class EncryptedSample
{
    /// <summary>Bytes that differ from chunk to chunk, the same at every call.</summary>
    public static byte[] Message(int length)
    {
        byte[] message = new byte[length];
        new Random(length).NextBytes(message);
        return message;
    }

    /// <summary>The whole file.</summary>
    public static byte[] Encrypt(FileEncryptor encryptor, ReadOnlySpan<byte> message)
    {
        byte[] encrypted = new byte[EncryptedLayout.EncryptedLength(message.Length)];
        encryptor.Header.Span.CopyTo(encrypted);
        int full = message.Length / EncryptedLayout.ChunkBytes * EncryptedLayout.ChunkBytes;
        int at = EncryptedLayout.HeaderBytes + encryptor.EncryptChunks(0, message[..full], encrypted.AsSpan(EncryptedLayout.HeaderBytes));
        at += encryptor.EncryptFinal(full / EncryptedLayout.ChunkBytes, message[full..], encrypted.AsSpan(at));
        Assert.Equal(encrypted.Length, at);
        return encrypted;
    }
}
