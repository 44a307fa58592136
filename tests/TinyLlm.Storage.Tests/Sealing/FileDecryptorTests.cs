using System.Text;

namespace TinyLlm.Storage.Tests.Sealing;

/// <summary>What a changed file meets: a refusal before, and instead of, its plaintext.</summary>
public sealed class FileDecryptorTests
{
    private const int Chunk = EncryptedLayout.ChunkBytes;
    private const int EncryptedChunk = EncryptedLayout.EncryptedChunkBytes;
    private const int Header = EncryptedLayout.HeaderBytes;

    private static readonly VersionId Version = VersionId.Parse("0123456789abcdefghijkl");
    private static readonly VersionKey Key = NewKey(UserId.Parse("0123456789"), "stories", Version);
    private static readonly ModelFileName File = ModelFileName.Parse("model.safetensors");
    private static readonly byte[] Plain = EncryptedSample.Message((3 * Chunk) + 100);

    [Fact]
    public void Decrypt_AnyBitOfHeaderOrChunkFlipped_IsRefusedAndGivesNothing()
    {
        byte[] whole = Encrypted();
        Random random = new(1);
        int[] places = [.. Enumerable.Range(0, Header), .. Enumerable.Range(0, 500).Select(_ => random.Next(whole.Length)), whole.Length - 1];
        foreach (int at in places)
        {
            byte[] changed = [.. whole];
            changed[at] ^= (byte)(1 << random.Next(8));
            AssertRefused(Key, changed);
        }
    }

    [Fact]
    public void Decrypt_CutAtAnyChunkOrByte_IsRefused()
    {
        byte[] whole = Encrypted();
        for (int at = Header; at < whole.Length; at += EncryptedChunk) AssertRefused(Key, whole[..at]);
        for (int at = 0; at < whole.Length; at += 97) AssertRefused(Key, whole[..at]);
        AssertRefused(Key, whole[..^1]);
        AssertRefused(Key, [.. whole, 0]);
    }

    [Fact]
    public void Decrypt_WithTheLastChunkRemovedFromAFileThatHadMore_IsRefused()
    {
        // A file of full chunks ends with an empty one, which can't be left out; and a full chunk can't be the last.
        byte[] whole = Encrypt(EncryptedSample.Message(2 * Chunk));

        AssertRefused(Key, whole[..^EncryptedLayout.TagBytes]);
        AssertRefused(Key, [.. whole[..(Header + EncryptedChunk)], .. whole[^EncryptedLayout.TagBytes..]]);
    }

    [Fact]
    public void Decrypt_ChunksExchanged_IsRefused()
    {
        byte[] whole = Encrypted();
        byte[] changed = [.. whole[..Header], .. ChunkOf(whole, 1), .. ChunkOf(whole, 0), .. whole[(Header + (2 * EncryptedChunk))..]];

        AssertRefused(Key, changed);
    }

    [Fact]
    public void Decrypt_AChunkOfAnotherFileUnderTheSameKey_IsRefused()
    {
        byte[] whole = Encrypted();
        byte[] other = Encrypt(EncryptedSample.Message((3 * Chunk) + 100));

        AssertRefused(Key, [.. whole[..Header], .. ChunkOf(other, 0), .. whole[(Header + EncryptedChunk)..]]);
    }

    [Fact]
    public void Open_AsAnotherOwnersModelsVersionsOrFiles_IsRefused()
    {
        byte[] whole = Encrypted();

        AssertRefused(NewKey(UserId.Parse("012345678a"), "stories", Version), whole);
        AssertRefused(NewKey(UserId.Parse("0123456789"), "poems", Version), whole);
        AssertRefused(NewKey(UserId.Parse("0123456789"), "stories", VersionId.Parse("0123456789abcdefghijkm")), whole);
        StoreException refusal = Assert.Throws<StoreException>(() => Key.OpenFile(ModelFileName.Parse("config.json"), whole.AsSpan(0, Header), whole.Length));
        Assert.Equal(StoreError.Damaged, refusal.Error);
    }

    [Fact]
    public void Decrypt_OneChunkOfTheRunChanged_LeavesNothingInTheBuffer()
    {
        byte[] whole = Encrypted();
        using FileDecryptor decryptor = Key.OpenFile(File, whole.AsSpan(0, Header), whole.Length);
        whole[^1] ^= 1;
        byte[] buffer = new byte[Plain.Length];

        Assert.Throws<StoreException>(() => decryptor.DecryptChunks(0, whole.AsSpan(Header), buffer));

        Assert.All(buffer, value => Assert.Equal(0, value));
    }

    [Fact]
    public void Decrypt_ARunOfOtherBytesThanItsChunks_IsRefused()
    {
        byte[] whole = Encrypted();
        using FileDecryptor decryptor = Key.OpenFile(File, whole.AsSpan(0, Header), whole.Length);
        byte[] buffer = new byte[Plain.Length];

        Assert.Equal(StoreError.Damaged, Assert.Throws<StoreException>(() => decryptor.DecryptChunks(0, whole.AsSpan(Header, EncryptedChunk - 1), buffer)).Error);
        Assert.Throws<ArgumentOutOfRangeException>(() => decryptor.DecryptChunks(0, [], buffer));
        Assert.Throws<ArgumentOutOfRangeException>(() => decryptor.DecryptChunks(4, whole.AsSpan(Header, EncryptedChunk), buffer));
        Assert.Throws<ArgumentOutOfRangeException>(() => decryptor.EncryptedRange(0, 5));
        Assert.Throws<ArgumentException>(() => decryptor.DecryptChunks(0, whole.AsSpan(Header, EncryptedChunk), buffer.AsSpan(0, Chunk - 1)));
    }

    [Fact]
    public void RequireWhole_OfACutFile_IsRefused()
    {
        byte[] whole = Encrypted();
        byte[] cut = whole[..(Header + EncryptedChunk + 60)];
        using FileDecryptor good = Key.OpenFile(File, whole.AsSpan(0, Header), whole.Length);
        using FileDecryptor bad = Key.OpenFile(File, cut.AsSpan(0, Header), cut.Length);

        good.RequireWhole(whole.AsSpan(Header + (3 * EncryptedChunk)));

        Assert.Equal(StoreError.Damaged, Assert.Throws<StoreException>(() => bad.RequireWhole(cut.AsSpan(Header + EncryptedChunk))).Error);
    }

    [Fact]
    public void VersionKey_Printed_ShowsNothingOfTheKey()
    {
        Assert.Equal("key of version 0123456789abcdefghijkl", $"{Key}");
        Assert.ThrowsAny<Exception>(() => System.Text.Json.JsonSerializer.Serialize(Key)); // no log and no answer can hold it as JSON either
    }

    [Fact]
    public void Context_OfOtherNames_IsNeverTheSame()
    {
        // Without their lengths, both would be "…ab" and "…a" + "b…".
        Assert.NotEqual(
            NewKey(UserId.Parse("0123456789"), "a", VersionId.Parse("b123456789abcdefghijkl")).ContextOf(File),
            NewKey(UserId.Parse("0123456789"), "ab", VersionId.Parse("123456789abcdefghijklm")).ContextOf(File));
        Assert.Equal("\0\0\0\n0123456789\0\0\0\astories\0\0\0\u00160123456789abcdefghijkl\0\0\0\u0011model.safetensors", Encoding.UTF8.GetString(Key.ContextOf(File)));
    }

    private static VersionKey NewKey(UserId owner, string model, VersionId version) => new(owner, model, version, [.. Enumerable.Range(7, 32).Select(i => (byte)i)]);

    private static byte[] Encrypted() => Encrypt(Plain);

    private static byte[] Encrypt(byte[] message)
    {
        using FileEncryptor encryptor = Key.BeginFile(File);
        return EncryptedSample.Encrypt(encryptor, message);
    }

    private static byte[] ChunkOf(byte[] whole, int chunk) => whole[(Header + (chunk * EncryptedChunk))..(Header + ((chunk + 1) * EncryptedChunk))];

    /// <summary>Reads all of it, a chunk at a time and the whole run at once: neither may come to the end.</summary>
    private static void AssertRefused(VersionKey key, byte[] stored)
    {
        StoreException refusal = Assert.Throws<StoreException>(() =>
        {
            using FileDecryptor decryptor = key.OpenFile(File, stored.AsSpan(0, Math.Min(Header, stored.Length)), stored.Length);
            byte[] buffer = new byte[decryptor.PlaintextLength];
            decryptor.DecryptChunks(0, stored.AsSpan(Header), buffer);
        });
        Assert.Equal(StoreError.Damaged, refusal.Error);
    }
}
