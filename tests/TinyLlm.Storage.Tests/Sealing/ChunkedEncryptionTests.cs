using System.Text;

namespace TinyLlm.Storage.Tests.Sealing;

/// <summary>Encrypting in pieces and decrypting at random, and that every byte is as the specification has it.</summary>
public sealed class ChunkedEncryptionTests
{
    private const int Chunk = EncryptedLayout.ChunkBytes;

    private static readonly byte[] Key = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];
    private static readonly byte[] Context = Encoding.UTF8.GetBytes("a context");

    /// <summary>Around every border of chunks.</summary>
    public static TheoryData<int> Lengths => [0, 1, 1_000, Chunk - 1, Chunk, Chunk + 1, 20 << 10, (3 * Chunk) - 1, 3 * Chunk, (5 * Chunk) + 77];

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Encrypt_AnyLength_GivesTheBytesOfAnotherImplementation(int length)
    {
        byte[] message = EncryptedSample.Message(length);
        byte[] salt = [.. Enumerable.Range(101, EncryptedLayout.SaltBytes).Select(i => (byte)i)];
        using FileEncryptor encryptor = FileEncryptor.WithSalt(Key, salt, Context);

        byte[] encrypted = EncryptedSample.Encrypt(encryptor, message);

        string theirs = NodeScript.Ask("Sealing/cobblestone.mjs", new
        {
            key = Convert.ToHexStringLower(Key),
            salt = Convert.ToHexStringLower(salt),
            context = Convert.ToHexStringLower(Context),
            message = Convert.ToHexStringLower(message),
        }).GetString()!;
        Assert.Equal(theirs, Convert.ToHexStringLower(encrypted));
        Assert.Equal(EncryptedLayout.EncryptedLength(length), encrypted.Length);
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Decrypt_AnyRunOfChunks_GivesItsPlaintext(int length)
    {
        byte[] message = EncryptedSample.Message(length);
        using FileEncryptor encryptor = FileEncryptor.Begin(Key, Context);
        byte[] encrypted = EncryptedSample.Encrypt(encryptor, message);
        using FileDecryptor decryptor = FileDecryptor.Open(Key, Context, encrypted.AsSpan(0, EncryptedLayout.HeaderBytes), encrypted.Length);

        Assert.Equal(length, decryptor.PlaintextLength);
        for (int first = 0; first < decryptor.ChunkCount; first++)
        {
            for (int count = 1; first + count <= decryptor.ChunkCount; count++)
            {
                (long offset, int bytes) = decryptor.EncryptedRange(first, count);
                byte[] plaintext = new byte[count * Chunk];
                int got = decryptor.DecryptChunks(first, encrypted.AsSpan((int)offset, bytes), plaintext);
                Assert.Equal(message[(first * Chunk)..Math.Min((first + count) * Chunk, length)], plaintext[..got]);
            }
        }
    }

    [Fact]
    public void Resume_WithTheStoredHeader_GoesOnWithTheSameFile()
    {
        byte[] message = EncryptedSample.Message((3 * Chunk) + 5);
        using FileEncryptor first = FileEncryptor.Begin(Key, Context);
        byte[] stored = new byte[EncryptedLayout.HeaderBytes + (2 * EncryptedLayout.EncryptedChunkBytes)];
        first.Header.CopyTo(stored);
        first.EncryptChunks(0, message.AsSpan(0, 2 * Chunk), stored.AsSpan(EncryptedLayout.HeaderBytes));
        Assert.True(EncryptedLayout.TryGetWrittenPlaintext(stored.Length, out long written));

        using FileEncryptor second = FileEncryptor.Resume(Key, Context, stored.AsSpan(0, EncryptedLayout.HeaderBytes));
        byte[] rest = new byte[EncryptedLayout.EncryptedChunkBytes + 5 + EncryptedLayout.TagBytes];
        int full = second.EncryptChunks(EncryptedLayout.ChunkOf(written), message.AsSpan((int)written, Chunk), rest);
        second.EncryptFinal(EncryptedLayout.ChunkOf(written) + 1, message.AsSpan(3 * Chunk), rest.AsSpan(full));

        Assert.Equal(EncryptedSample.Encrypt(first, message), stored.Concat(rest));
    }

    [Fact]
    public void Resume_WithTheHeaderOfAnotherContextOrKey_IsRefused()
    {
        using FileEncryptor encryptor = FileEncryptor.Begin(Key, Context);
        byte[] header = encryptor.Header.ToArray();

        Refused(() => FileEncryptor.Resume(Key, "another"u8, header));
        Refused(() => FileEncryptor.Resume([.. Key.Reverse()], Context, header));
        Refused(() => FileEncryptor.Resume(Key, Context, header.AsSpan(1)));
    }

    [Fact]
    public void Begin_Twice_NeverGivesTheSameSalt()
    {
        using FileEncryptor one = FileEncryptor.Begin(Key, Context);
        using FileEncryptor other = FileEncryptor.Begin(Key, Context);

        Assert.NotEqual(one.Header[..EncryptedLayout.SaltBytes].ToArray(), other.Header[..EncryptedLayout.SaltBytes].ToArray());
    }

    [Fact]
    public async Task Decrypt_OnManyThreads_GivesEveryChunk()
    {
        byte[] message = EncryptedSample.Message((200 * Chunk) + 9);
        using FileEncryptor encryptor = FileEncryptor.Begin(Key, Context);
        byte[] encrypted = EncryptedSample.Encrypt(encryptor, message);
        using FileDecryptor decryptor = FileDecryptor.Open(Key, Context, encrypted.AsSpan(0, EncryptedLayout.HeaderBytes), encrypted.Length);
        byte[] plaintext = new byte[message.Length];

        await Parallel.ForAsync(0, (int)decryptor.ChunkCount, new ParallelOptions { MaxDegreeOfParallelism = 8 }, (chunk, _) =>
        {
            (long offset, int bytes) = decryptor.EncryptedRange(chunk, 1);
            decryptor.DecryptChunks(chunk, encrypted.AsSpan((int)offset, bytes), plaintext.AsSpan(chunk * Chunk));
            return ValueTask.CompletedTask;
        });

        Assert.Equal(message, plaintext);
    }

    [Fact]
    public void EncryptAndDecrypt_AfterTheFirstCall_AllocateNothing()
    {
        byte[] message = EncryptedSample.Message(64 * Chunk);
        using FileEncryptor encryptor = FileEncryptor.Begin(Key, Context);
        byte[] encrypted = EncryptedSample.Encrypt(encryptor, message);
        using FileDecryptor decryptor = FileDecryptor.Open(Key, Context, encrypted.AsSpan(0, EncryptedLayout.HeaderBytes), encrypted.Length);
        byte[] plaintext = new byte[message.Length];
        Span<byte> chunks = encrypted.AsSpan(EncryptedLayout.HeaderBytes, 64 * EncryptedLayout.EncryptedChunkBytes);
        decryptor.DecryptChunks(0, chunks, plaintext);

        long before = GC.GetAllocatedBytesForCurrentThread();
        encryptor.EncryptChunks(0, message, chunks);
        decryptor.DecryptChunks(0, chunks, plaintext);

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_024); // not even a byte a chunk: the bag of idle ciphers may add a node
        Assert.Equal(message, plaintext);
    }

    [Fact]
    public void Use_AfterDispose_Throws()
    {
        FileEncryptor encryptor = FileEncryptor.Begin(Key, Context);
        encryptor.Dispose();

        Assert.Throws<ObjectDisposedException>(() => encryptor.EncryptFinal(0, [], new byte[16]));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(EncryptedLayout.HeaderBytes)]
    [InlineData(EncryptedLayout.HeaderBytes + 15)]
    [InlineData(EncryptedLayout.HeaderBytes + EncryptedLayout.EncryptedChunkBytes)]
    [InlineData(EncryptedLayout.HeaderBytes + EncryptedLayout.EncryptedChunkBytes + 1)]
    [InlineData(EncryptedLayout.HeaderBytes + (7 * EncryptedLayout.EncryptedChunkBytes))]
    public void TryGetPlaintextLength_NoWholeFile_IsFalse(long encryptedBytes) =>
        Assert.False(EncryptedLayout.TryGetPlaintextLength(encryptedBytes, out _));

    [Fact]
    public void Lengths_ThereAndBack_AreTheSame()
    {
        for (long length = 0; length < 100_000; length += 7)
        {
            Assert.True(EncryptedLayout.TryGetPlaintextLength(EncryptedLayout.EncryptedLength(length), out long back));
            Assert.Equal(length, back);
        }
        Assert.True(EncryptedLayout.TryGetPlaintextLength(EncryptedLayout.EncryptedLength(EncryptedLayout.MaxPlaintextBytes), out long most));
        Assert.Equal(EncryptedLayout.MaxPlaintextBytes, most);
    }

    private static void Refused(Action action) => Assert.Equal(StoreError.Damaged, Assert.Throws<StoreException>(action).Error);
}
