using System.Globalization;
using System.Security.Cryptography;

namespace TinyLlm.Storage.Tests.Sealing;

/// <summary>
/// Somebody with the whole store at hand, but no key, changes what is stored: bits, chunks, lengths, and whole objects between users and versions. Every
/// change that a read meets is found before a byte of plaintext that is not the file's comes out. <c>TINYLLM_TAMPERS</c> sets how many changes (default 1,000;
/// the whole: 10,000) and <c>TINYLLM_SEED</c> another beginning.
/// </summary>
public sealed class TamperTests : IDisposable
{
    private static readonly SigningKey Signer = SigningKey.Parse(SigningKey.NewText());

    private readonly TemporaryFolder folder = new();
    private readonly FileObjectStore store;
    private readonly ModelFiles files;

    public TamperTests()
    {
        store = new FileObjectStore(folder.FullPath);
        files = new ModelFiles(store);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Read_AfterAnyChangeOfWhatIsStored_IsRefusedBeforePlaintext()
    {
        int count = int.Parse(Environment.GetEnvironmentVariable("TINYLLM_TAMPERS") ?? "1000", CultureInfo.InvariantCulture);
        int seed = int.Parse(Environment.GetEnvironmentVariable("TINYLLM_SEED") ?? "20261125", CultureInfo.InvariantCulture);
        Random random = new(seed);
        // Two users with two versions each, of the same files: the best that a swap can hope for.
        StoredVersion[] versions = [];
        foreach (UserId owner in (UserId[])[UserId.New(), UserId.New()])
        {
            byte[] dataKey = RandomNumberGenerator.GetBytes(32);
            versions = [.. versions, await StoreAsync(owner, RandomNumberGenerator.GetBytes(32)), await StoreAsync(owner, dataKey)];
        }
        Dictionary<string, byte[]> whole = [];
        foreach (StoredVersion version in versions) Assert.Equal(version.Plain.Values.Sum(file => file.Length), await ReadAsync(version));
        await foreach (ObjectInfo info in store.ListAsync("models", Cancel)) whole[info.Name] = (await store.GetAsync(info.Name, Cancel))!.Bytes.ToArray();

        Dictionary<string, int> kinds = [];
        for (int i = 0; i < count; i++)
        {
            StoredVersion victim = versions[random.Next(versions.Length)];
            string[] own = [.. whole.Keys.Where(name => name.StartsWith(victim.Prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
            string name = own[random.Next(own.Length)];
            (string kind, byte[] changed) = Change(whole, victim, name, random);
            if (changed.AsSpan().SequenceEqual(whole[name])) continue;
            await store.PutAsync(name, changed, PutCondition.Always, Cancel);

            StoreException refusal = await Assert.ThrowsAsync<StoreException>(() => ReadAsync(victim));

            Assert.True(refusal.Error == StoreError.Damaged, $"seed {seed}, change {i}: {kind} of {name} gave {refusal.Error}");
            await store.PutAsync(name, whole[name], PutCondition.Always, Cancel);
            kinds[kind] = kinds.GetValueOrDefault(kind) + 1;
        }
        foreach (StoredVersion version in versions) await ReadAsync(version); // the last one was mended too

        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}: {string.Join(", ", kinds.Select(kind => $"{kind.Value} {kind.Key}"))}, all found");
        Assert.InRange(kinds.Values.Sum(), count * 9 / 10, count);
        Assert.Equal(5, kinds.Count);
    }

    public void Dispose() => folder.Dispose();

    private static (string Kind, byte[] Bytes) Change(Dictionary<string, byte[]> whole, StoredVersion victim, string name, Random random)
    {
        byte[] bytes = [.. whole[name]];
        switch (random.Next(5))
        {
            case 0:
                bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
                return ("bit flips", bytes);
            case 1:
                return ("truncations", bytes[..Cut(bytes.Length, random)]);
            case 2:
                return ("extensions", [.. bytes, .. bytes[..random.Next(1, Math.Min(bytes.Length, EncryptedLayout.EncryptedChunkBytes))]]);
            case 3:
                // Two chunks of the largest file change places; in a small object, two halves.
                int size = bytes.Length > EncryptedLayout.HeaderBytes + (2 * EncryptedLayout.EncryptedChunkBytes) ? EncryptedLayout.EncryptedChunkBytes : bytes.Length / 2;
                int start = size == EncryptedLayout.EncryptedChunkBytes ? EncryptedLayout.HeaderBytes : 0;
                (byte[] first, byte[] second) = (bytes[start..(start + size)], bytes[(start + size)..(start + (2 * size))]);
                second.CopyTo(bytes, start);
                first.CopyTo(bytes, start + size);
                return ("swaps", bytes);
            default:
                // The object of the same kind, or of any, of another user or version.
                string[] others = [.. whole.Keys.Where(other => !other.StartsWith(victim.Prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
                string[] alike = [.. others.Where(other => Path.GetFileName(other) == Path.GetFileName(name))];
                return ("copies", whole[random.Next(4) == 0 ? others[random.Next(others.Length)] : alike[random.Next(alike.Length)]]);
        }
    }

    /// <summary>Anywhere, and often at a chunk's border, where a cut is hardest to see.</summary>
    private static int Cut(int length, Random random)
    {
        int chunks = (length - EncryptedLayout.HeaderBytes) / EncryptedLayout.EncryptedChunkBytes;
        return chunks > 0 && random.Next(2) == 0 ? (int)EncryptedLayout.OffsetOfChunk(random.Next(chunks + 1)) : random.Next(length);
    }

    private async Task<StoredVersion> StoreAsync(UserId owner, byte[] dataKey)
    {
        VersionId version = VersionId.New();
        VersionKey key = new(owner, "stories", version, dataKey);
        Dictionary<string, byte[]> plain = new()
        {
            ["config.json"] = EncryptedSample.Message(300),
            ["model.safetensors"] = EncryptedSample.Message((4 * EncryptedLayout.ChunkBytes) + 1_000),
            ["tokenizer.json"] = EncryptedSample.Message(2 * EncryptedLayout.ChunkBytes),
        };
        List<ManifestFile> listed = [];
        foreach ((string text, byte[] bytes) in plain)
        {
            ModelFileName name = ModelFileName.Parse(text);
            using FileEncryptor encryptor = key.BeginFile(name);
            await store.PutAsync($"{ModelFiles.ObjectNameOf(owner, version, name)}.sealed", EncryptedSample.Encrypt(encryptor, bytes), PutCondition.IfAbsent, Cancel);
            listed.Add(new ManifestFile(name, bytes.Length, new ContentDigest(SHA256.HashData(bytes)), ManifestFile.CommitmentText(encryptor.Commitment.Span)));
        }
        ModelManifest manifest = ModelManifest.Create(version, listed);
        byte[] signature = SignedManifest.Sign("stories", manifest, Signer);
        await store.PutAsync($"{ModelFiles.FolderName(owner, version)}/manifest.json", manifest.CanonicalBytes, PutCondition.IfAbsent, Cancel);
        await files.WriteSignatureAsync(owner, version, signature, Cancel);
        return new StoredVersion(owner, version, key, plain, manifest.Digest.Hex, SignedManifest.DigestOf(signature));
    }

    /// <summary>As a load reads a version: what is not as the owner's record says throws. Whatever plaintext comes out is compared byte by byte.</summary>
    private async Task<long> ReadAsync(StoredVersion stored)
    {
        ModelManifest manifest = await files.ReadManifestAsync(stored.Owner, stored.Version, Cancel) ?? throw new StoreException(StoreError.Damaged, "no manifest");
        ReadOnlyMemory<byte> signature = await files.ReadSignatureAsync(stored.Owner, stored.Version, Cancel) ?? throw new StoreException(StoreError.Damaged, "no signature");
        SignedManifest.Require(manifest, stored.ManifestDigest, signature, stored.SignatureDigest, Signer.PublicKey);
        long read = 0;
        foreach (ManifestFile file in manifest.Files)
        {
            using VersionFile opened = await files.OpenAsync(stored.Owner, stored.Version, file.Name, stored.Key, Cancel);
            if (opened.Commitment != file.Commitment || opened.Length != file.Length) throw new StoreException(StoreError.Damaged, "not the file that the manifest names");
            byte[] plain = stored.Plain[file.Name.Value], whole = new byte[opened.Length];
            try
            {
                await opened.ReadAsync(0, whole, Cancel);
            }
            finally
            {
                // Refused or not: every chunk that came out is the file's own, and nothing is there of one that did not.
                for (int at = 0; at < whole.Length; at += EncryptedLayout.ChunkBytes)
                {
                    ReadOnlySpan<byte> chunk = whole.AsSpan(at..Math.Min(at + EncryptedLayout.ChunkBytes, whole.Length));
                    Assert.True(!chunk.ContainsAnyExcept((byte)0) || chunk.SequenceEqual(plain.AsSpan(at, chunk.Length)), "plaintext that is not the file's");
                }
            }
            Assert.True(whole.AsSpan().SequenceEqual(plain), "a change was not found");
            read += whole.Length;
        }
        return read;
    }

    private sealed record StoredVersion(
        UserId Owner, VersionId Version, VersionKey Key, Dictionary<string, byte[]> Plain, string ManifestDigest, string SignatureDigest)
    {
        public string Prefix => $"{ModelFiles.FolderName(Owner, Version)}/";
    }
}
