using System.Buffers.Binary;
using System.Security.Cryptography;

namespace TinyLlm.Storage.Tests;

/// <summary>Encrypted uploads, on every backing: whatever way the bytes come, what is published is what was sent.</summary>
public abstract class EncryptedUploadConformance : IAsyncLifetime
{
    private const int Chunk = EncryptedLayout.ChunkBytes;
    private const int Block = ObjectStore.AppendBlockBytes;
    private const long Plenty = 1L << 40;

    private readonly UserId owner = UserId.New();
    private readonly VersionId version = VersionId.New();
    private readonly VersionKey key;
    private ObjectStore? opened;
    private ModelFiles? files;

    protected EncryptedUploadConformance() => key = new VersionKey(owner, "stories", version, RandomNumberGenerator.GetBytes(32));

    protected ObjectStore Store => opened ?? throw new InvalidOperationException("the store is not open yet");

    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private ModelFiles Files => files ?? throw new InvalidOperationException("the store is not open yet");

    private static ModelFileName Weights => ModelFileName.Parse("model.safetensors");

    private string SealedName => ModelFiles.ObjectNameOf(owner, version, Weights) + ".sealed";

    private string TailName => ModelFiles.ObjectNameOf(owner, version, Weights) + ".tail";

    public async ValueTask InitializeAsync()
    {
        opened = await OpenAsync();
        files = new ModelFiles(opened);
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await CloseAsync();
    }

    protected abstract Task<ObjectStore> OpenAsync();

    protected abstract Task CloseAsync();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(Chunk - 1)]
    [InlineData(Chunk)]
    [InlineData(Chunk + 1)]
    [InlineData(3 * Chunk)]
    [InlineData(Block)]
    [InlineData(Block + Chunk + 7)]
    public async Task Append_OneBody_IsDurableToTheLastByteAndPublishedAsSent(int length)
    {
        Assert.Equal(length, await AppendAsync(0, length));
        Assert.Equal(length, await LengthAsync());

        await RequirePublishedAsync(length);
    }

    /// <summary>Each instance stands for a process: what keeps commits apart within one is not known to the others.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Seal_HundredAtOnceInSeveralProcesses_OneWins(bool encrypted)
    {
        VersionKey? sealing = encrypted ? key : null;
        byte[] sent = BodyStream.Bytes(0, (2 * Chunk) + 7);
        await Files.AppendAsync(owner, version, Weights, 0, new MemoryStream(sent), Plenty, null, sealing, Cancel);
        await Files.AppendAsync(owner, version, ModelFileName.Parse("config.json"), 0, new MemoryStream([1, 2]), Plenty, null, sealing, Cancel);
        ModelFiles[] processes = [.. Enumerable.Range(0, 8).Select(_ => new ModelFiles(Store))];

        Task<ModelManifest>[] commits = [.. Enumerable.Range(0, 100).Select(i => Task.Run(() => processes[i % processes.Length].SealAsync(owner, version, sealing, Cancel), Cancel))];
        await Task.WhenAll(commits.Select(commit => commit.ContinueWith(_ => { }, TaskScheduler.Default)));

        ModelManifest won = await Assert.Single(commits, commit => commit.IsCompletedSuccessfully);
        Assert.All(
            commits.Where(commit => !commit.IsCompletedSuccessfully),
            commit => Assert.Equal(StoreError.Sealed, Assert.IsType<StoreException>(Assert.Single(commit.Exception!.InnerExceptions)).Error));
        Assert.Equal(won.Digest, (await Files.ReadManifestAsync(owner, version, Cancel))!.Digest);
        using VersionFile stored = await Files.OpenAsync(owner, version, Weights, sealing, Cancel);
        byte[] read = new byte[stored.Length];
        await stored.ReadAsync(0, read, Cancel);
        Assert.Equal(sent, read);
    }

    [Theory]
    [InlineData(Chunk)] // at a border
    [InlineData(Chunk + 100)] // inside a chunk
    [InlineData(2)] // inside the first
    [InlineData(5 * Chunk)] // the end
    [InlineData(0)] // the beginning
    public async Task Append_InTwoBodies_GoesOnAtAnyPlace(int first)
    {
        const int Length = 5 * Chunk;
        await AppendAsync(0, first);
        Assert.Equal(first, await LengthAsync());
        await AppendAsync(first, Length - first);

        await RequirePublishedAsync(Length);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public async Task Append_AnySplits_GiveTheSameFile(int seed)
    {
        Random random = new(seed);
        int length = random.Next(4 * Chunk) + (seed % 3 == 0 ? Block : 0), sent = 0;
        while (sent < length)
        {
            int count = Math.Min(length - sent, random.Next(4) switch { 0 => random.Next(200), 1 => Chunk, 2 => random.Next(2 * Chunk), _ => length });
            byte[] bytes = BodyStream.Bytes(sent, count);
            ContentDigest? digest = random.Next(2) == 0 ? new ContentDigest(SHA256.HashData(bytes)) : null;
            sent += count;
            Assert.Equal(sent, await AppendAsync(sent - count, new MemoryStream(bytes), digest));
            Assert.Equal(sent, await LengthAsync());
        }
        await RequirePublishedAsync(length);
    }

    [Theory]
    [InlineData(100)]
    [InlineData(Chunk + 100)]
    [InlineData(Block + 100)]
    [InlineData((2 * Block) + (3 * Chunk))]
    public async Task Append_BodyBreaksOff_KeepsABeginningAndGoesOnFromIt(int sent)
    {
        const int Length = (2 * Block) + (4 * Chunk) + 5;
        await AppendAsync(0, 50);
        await Assert.ThrowsAsync<EndOfStreamException>(() => AppendAsync(50, new BodyStream(sent, _ => throw new EndOfStreamException(), 50), null));

        long durable = (await LengthAsync())!.Value;
        Assert.InRange(durable, 50, sent + 50);
        Assert.True(sent + 50 - durable <= Block + Chunk, $"{durable} bytes of {sent + 50} are durable, and at most a block may be lost");
        await AppendAsync(durable, Length - durable);
        await RequirePublishedAsync(Length);
    }

    [Fact]
    public async Task Append_OtherBytesWhereAChunkWasBegun_BeginsTheFileAnew()
    {
        const int Length = Block + Chunk;
        await Assert.ThrowsAsync<EndOfStreamException>(() => AppendAsync(0, new BodyStream(Length, _ => throw new EndOfStreamException()), null));
        long durable = (await LengthAsync())!.Value;
        byte[] header = await StoredAsync(SealedName, EncryptedLayout.HeaderBytes);

        StoreException refused = await Assert.ThrowsAsync<StoreException>(
            () => AppendAsync(durable, new BodyStream(Length, patternOffset: durable + 1), null));

        Assert.Equal((StoreError.OffsetMismatch, (long?)0), (refused.Error, refused.DurableLength));
        Assert.Null(await LengthAsync());
        await AppendAsync(0, Length);
        Assert.NotEqual(header, await StoredAsync(SealedName, EncryptedLayout.HeaderBytes)); // another salt, so other nonces
        await RequirePublishedAsync(Length);
    }

    [Theory]
    [InlineData(100, 50)]
    [InlineData(100, Chunk)]
    [InlineData(0, Block + 10)] // longer than what is checked in memory
    [InlineData(Chunk + 1, Block + 10)]
    public async Task Append_DigestDoesNotMatch_LeavesTheFileAsItWas(int before, int count)
    {
        await AppendAsync(0, before);
        byte[] right = BodyStream.Bytes(before, count), wrong = [.. right];
        wrong[count / 2] ^= 1;
        ContentDigest digest = new(SHA256.HashData(right));
        byte[] stored = before < Chunk ? [] : await StoredAsync(SealedName);

        StoreException refused = await Assert.ThrowsAsync<StoreException>(() => AppendAsync(before, new MemoryStream(wrong), digest));

        Assert.Equal(StoreError.DigestMismatch, refused.Error);
        Assert.Equal(before, await LengthAsync());
        Assert.Equal(stored, before < Chunk ? [] : await StoredAsync(SealedName));
        Assert.Equal(before + count, await AppendAsync(before, new MemoryStream(right), digest));
        await RequirePublishedAsync(before + count);
    }

    [Fact]
    public async Task Append_DigestAndABodyThatBreaksOff_LeavesTheFileAsItWas()
    {
        await AppendAsync(0, 100);
        BodyStream body = new(Block + Chunk, _ => throw new EndOfStreamException(), 100);
        await Assert.ThrowsAsync<EndOfStreamException>(() => AppendAsync(100, body, new ContentDigest(new byte[32])));

        Assert.Equal(100, await LengthAsync());
        Assert.Equal([TailName], await NamesAsync());
    }

    [Theory]
    [InlineData(0, 101)]
    [InlineData(50, 51)]
    [InlineData(100, 1)]
    public async Task Append_MoreThanAllowed_IsRefused(int before, int count)
    {
        await AppendAsync(0, before);
        foreach (ContentDigest? digest in new[] { null, new ContentDigest(SHA256.HashData(BodyStream.Bytes(before, count))) })
        {
            StoreException refused = await Assert.ThrowsAsync<StoreException>(
                () => Files.AppendAsync(owner, version, Weights, before, new BodyStream(count, patternOffset: before), 100, digest, key, Cancel));
            Assert.Equal(StoreError.TooLarge, refused.Error);
            Assert.Equal(before, await LengthAsync());
        }
    }

    [Fact]
    public async Task Append_ElsewhereThanAtTheEnd_NamesTheEnd()
    {
        await AppendAsync(0, Chunk + 9);
        foreach (long offset in new[] { 0, Chunk, Chunk + 8, Chunk + 10 })
        {
            StoreException refused = await Assert.ThrowsAsync<StoreException>(() => AppendAsync(offset, 10));
            Assert.Equal((StoreError.OffsetMismatch, (long?)Chunk + 9), (refused.Error, refused.DurableLength));
        }
    }

    /// <summary>A crash after the chunks and before the tail: the tail of before belongs to a place that the file has grown past.</summary>
    [Fact]
    public async Task Append_TailOfBefore_CountsNoMore()
    {
        await AppendAsync(0, 100);
        ReadOnlyMemory<byte> tail = (await Store.GetAsync(TailName, Cancel))!.Bytes;
        await AppendAsync(100, Chunk + 50);
        await Store.PutAsync(TailName, tail, PutCondition.Always, Cancel);

        Assert.Equal(Chunk, await LengthAsync());
        await AppendAsync(Chunk, 500);
        await RequirePublishedAsync(Chunk + 500);
    }

    [Fact]
    public async Task Append_TailOfAnotherPlace_IsDamaged()
    {
        await AppendAsync(0, Chunk + 100);
        byte[] tail = (await Store.GetAsync(TailName, Cancel))!.Bytes.ToArray();
        await AppendAsync(Chunk + 100, Chunk);
        tail[6] = (2 * Chunk) >> 8; // its position is in clear, and bound
        await Store.PutAsync(TailName, tail, PutCondition.Always, Cancel);

        Assert.Equal((2 * Chunk) + 100, await LengthAsync());
        Assert.Equal(StoreError.Damaged, (await Assert.ThrowsAsync<StoreException>(() => AppendAsync((2 * Chunk) + 100, 1))).Error);
    }

    /// <summary>A tail that was put late: of the same file and place, but of chunks that another writer has replaced since.</summary>
    [Fact]
    public async Task Append_TailOfChunksThatWereReplaced_CountsNotAndIsOverwritten()
    {
        await AppendAsync(0, Chunk + 100);
        ReadOnlyMemory<byte> late = (await Store.GetAsync(TailName, Cancel))!.Bytes;
        await Files.DiscardAsync(owner, version, Weights, null, Cancel);
        await AppendAsync(0, Chunk);
        await Store.PutAsync(TailName, late, PutCondition.IfAbsent, Cancel);

        Assert.Equal(Chunk, await LengthAsync());
        await AppendAsync(Chunk, 50);
        await RequirePublishedAsync(Chunk + 50);
    }

    /// <summary>As a version of this program wrote it that did not bind a tail to its chunks: the file is to be sent again, and is never published without.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(Chunk)]
    public async Task Append_TailOfBeforeItsChunksWereBound_BeginsTheFileAnew(int position)
    {
        if (position > 0) await AppendAsync(0, position);
        await Store.PutAsync(TailName, OutdatedTail(position, BodyStream.Bytes(position, 100)), PutCondition.Always, Cancel);

        Assert.Equal(0, await LengthAsync());
        Assert.Equal(StoreError.OffsetMismatch, (await Assert.ThrowsAsync<StoreException>(() => Files.SealAsync(owner, version, key, Cancel))).Error);
        StoreException refused = await Assert.ThrowsAsync<StoreException>(() => AppendAsync(position + 100, 1));
        Assert.Equal((StoreError.OffsetMismatch, (long?)0), (refused.Error, refused.DurableLength));
        await AppendAsync(0, position + 200);
        await RequirePublishedAsync(position + 200);
    }

    [Fact]
    public async Task Tail_WrittenAgain_HasAnotherSalt()
    {
        HashSet<string> salts = [];
        for (int i = 0; i < 5; i++)
        {
            await AppendAsync(i, 1);
            salts.Add(Convert.ToHexString((await Store.GetAsync(TailName, Cancel))!.Bytes.Span.Slice(8 + EncryptedLayout.CommitmentBytes, EncryptedLayout.SaltBytes)));
        }
        Assert.Equal(5, salts.Count);
    }

    /// <summary>Another process whose lease was lost goes on writing while the version is sealed.</summary>
    [Fact]
    public async Task Seal_WhileAnotherProcessAppends_EndsThatAppend()
    {
        TaskCompletionSource begun = new(TaskCreationOptions.RunContinuationsAsynchronously), sealedBy = new(TaskCreationOptions.RunContinuationsAsynchronously);
        GatedBody body = new(new BodyStream(3L * Block), Block + Chunk, begun, sealedBy.Task);
        Task<long> append = new ModelFiles(Store).AppendAsync(owner, version, Weights, 0, body, Plenty, null, key, Cancel);
        await begun.Task.WaitAsync(Cancel);
        long durable = (await LengthAsync())!.Value; // a block, which ends inside a chunk
        await AppendAsync(durable, 100);
        StoreException open = await Assert.ThrowsAsync<StoreException>(() => Files.SealAsync(owner, version, key, Cancel));
        Assert.Equal(StoreError.OffsetMismatch, open.Error); // the begun chunk had more bytes
        await AppendAsync(durable + 100, Chunk - 100);

        ModelManifest manifest = await Files.SealAsync(owner, version, key, Cancel);
        sealedBy.SetResult();

        Assert.Equal(StoreError.OffsetMismatch, (await Assert.ThrowsAsync<StoreException>(() => append)).Error);
        Assert.Equal(durable + Chunk, manifest.TotalBytes);
        Assert.Equal(BodyStream.Bytes(0, durable + Chunk), await Files.ReadAllAsync(owner, version, Weights, key));
    }

    [Fact]
    public async Task Seal_CutOffAfterTheLastChunk_ARepeatPublishesTheSame()
    {
        await AppendAsync(0, Chunk + 77);
        await AppendAsync(ModelFileName.Parse("config.json"), 5);
        // As a crash left it: one file ended, the other not, no manifest.
        await new EncryptedUpload(Store, new FileObjects(ModelFiles.ObjectNameOf(owner, version, Weights)), key, Weights).FinishAsync(Cancel);
        await new EncryptedUpload(Store, new FileObjects(ModelFiles.ObjectNameOf(owner, version, Weights)), key, Weights).FinishAsync(Cancel);
        Assert.Equal(Chunk + 77, await LengthAsync());

        await RequirePublishedAsync(Chunk + 77);
    }

    [Fact]
    public async Task Seal_Published_LeavesOneObjectAFileAndNoPlaintext()
    {
        byte[] config = "a plain word that nobody may find"u8.ToArray();
        await Files.AppendAsync(owner, version, ModelFileName.Parse("config.json"), 0, new MemoryStream(config), Plenty, null, key, Cancel);
        await AppendAsync(0, (2 * Chunk) + 10);
        await RequireNowhereAsync(config);

        await Files.SealAsync(owner, version, key, Cancel);

        string folder = ModelFiles.FolderName(owner, version);
        Assert.Equal([$"{folder}/config.json.sealed", $"{folder}/manifest.json", SealedName], await NamesAsync());
        await RequireNowhereAsync(config);
        Assert.Equal((2 * Chunk) + 10, await LengthAsync());
        Assert.Equal(StoreError.Sealed, (await Assert.ThrowsAsync<StoreException>(() => AppendAsync((2 * Chunk) + 10, 1))).Error);
    }

    [Fact]
    public async Task Discard_ThenAppend_BeginsUnderAnotherSalt()
    {
        await AppendAsync(0, Chunk + 1);
        byte[] header = await StoredAsync(SealedName, EncryptedLayout.HeaderBytes);

        await Files.DiscardAsync(owner, version, Weights, null, Cancel);
        Assert.Null(await LengthAsync());
        Assert.Empty(await NamesAsync());
        await AppendAsync(0, Chunk + 1);

        Assert.NotEqual(header, await StoredAsync(SealedName, EncryptedLayout.HeaderBytes));
    }

    [Fact]
    public async Task Read_AnyRange_GivesItsBytes()
    {
        const int Length = (5 * Chunk) + 1234;
        await AppendAsync(0, Length);
        await Files.SealAsync(owner, version, key, Cancel);
        using VersionFile file = await Files.OpenAsync(owner, version, Weights, key, Cancel);
        Random random = new(7);
        for (int i = 0; i < 100; i++)
        {
            int offset = random.Next(Length), count = random.Next(Length - offset + 1);
            byte[] bytes = new byte[count];
            await file.ReadAsync(offset, bytes, Cancel);
            Assert.Equal(BodyStream.Bytes(offset, count), bytes);
        }
        Assert.Equal(Length, file.Length);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => file.ReadAsync(Length, new byte[1], Cancel));
    }

    [Fact]
    public async Task Read_StoredBytesChanged_IsDamagedAndGivesNothing()
    {
        const int Length = (3 * Chunk) + 9;
        await AppendAsync(0, Length);
        await Files.SealAsync(owner, version, key, Cancel);
        byte[] good = await StoredAsync(SealedName);
        Random random = new(3);
        for (int i = 0; i < 40; i++)
        {
            byte[] bad = [.. good];
            int at = random.Next(bad.Length);
            bad[at] ^= (byte)(1 << random.Next(8));
            if (i == 0) bad = bad[..^(9 + EncryptedLayout.TagBytes)]; // cut at a chunk's border
            if (i == 1) bad = bad[..^1];
            if (i == 2) (bad[EncryptedLayout.HeaderBytes], bad[EncryptedLayout.HeaderBytes + EncryptedLayout.EncryptedChunkBytes]) = (bad[EncryptedLayout.HeaderBytes + EncryptedLayout.EncryptedChunkBytes], (byte)~bad[EncryptedLayout.HeaderBytes]);
            await Store.PutAsync(SealedName, bad, PutCondition.Always, Cancel);
            byte[] read = new byte[Length];

            StoreException damaged = await Assert.ThrowsAsync<StoreException>(async () =>
            {
                using VersionFile file = await Files.OpenAsync(owner, version, Weights, key, Cancel);
                await file.ReadAsync(0, read.AsMemory(0, (int)file.Length), Cancel);
            });
            Assert.Equal(StoreError.Damaged, damaged.Error);
            Assert.All(read, value => Assert.Equal(0, value));
        }
    }

    /// <summary>A body that stops once at a place, until it may go on.</summary>
    private sealed class GatedBody(Stream inner, long gate, TaskCompletionSource reached, Task open) : MemoryStream
    {
        private long given;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (given >= gate)
            {
                reached.TrySetResult();
                await open.WaitAsync(cancellationToken);
            }
            int count = await inner.ReadAsync(given < gate ? buffer[..(int)Math.Min(buffer.Length, gate - given)] : buffer, cancellationToken);
            given += count;
            return count;
        }
    }

    private Task<long> AppendAsync(long offset, long count) => AppendAsync(offset, new BodyStream(count, patternOffset: offset), null);

    private Task<long> AppendAsync(ModelFileName file, long count) => Files.AppendAsync(owner, version, file, 0, new BodyStream(count), Plenty, null, key, Cancel);

    private Task<long> AppendAsync(long offset, Stream body, ContentDigest? digest) =>
        Files.AppendAsync(owner, version, Weights, offset, body, Plenty, digest, key, Cancel);

    private byte[] OutdatedTail(long position, byte[] plaintext)
    {
        using FileEncryptor encryptor = key.BeginPiece(Weights, $"tail {position}");
        byte[] stored = new byte[sizeof(long) + EncryptedLayout.EncryptedLength(plaintext.Length)];
        BinaryPrimitives.WriteInt64BigEndian(stored, position);
        encryptor.Header.CopyTo(stored.AsMemory(sizeof(long)));
        encryptor.EncryptFinal(0, plaintext, stored.AsSpan(sizeof(long) + EncryptedLayout.HeaderBytes));
        return stored;
    }

    private Task<long?> LengthAsync() => Files.LengthAsync(owner, version, Weights, Cancel);

    private async Task RequirePublishedAsync(long length)
    {
        ModelManifest manifest = await Files.SealAsync(owner, version, key, Cancel);
        byte[] expected = BodyStream.Bytes(0, length);
        ManifestFile listed = manifest.Files.Single(file => file.Name == Weights);
        Assert.Equal((length, Convert.ToHexStringLower(SHA256.HashData(expected))), (listed.Length, listed.Sha256.Hex));
        Assert.Equal(expected, await Files.ReadAllAsync(owner, version, Weights, key));
        Assert.Equal(EncryptedLayout.EncryptedLength(length), await Store.LengthAsync(SealedName, Cancel));
        Assert.Equal(length, await LengthAsync());
    }

    private async Task RequireNowhereAsync(byte[] plaintext)
    {
        foreach (string name in await NamesAsync()) Assert.Equal(-1, (await StoredAsync(name)).AsSpan().IndexOf(plaintext));
    }

    private async Task<string[]> NamesAsync()
    {
        List<string> names = [];
        await foreach (ObjectInfo info in Store.ListAsync(ModelFiles.FolderName(owner, version), Cancel)) names.Add(info.Name);
        return [.. names.Order(StringComparer.Ordinal)];
    }

    private async Task<byte[]> StoredAsync(string name, int? count = null)
    {
        byte[] bytes = (await Store.GetAsync(name, Cancel))!.Bytes.ToArray();
        return count is { } first ? bytes[..first] : bytes;
    }
}
