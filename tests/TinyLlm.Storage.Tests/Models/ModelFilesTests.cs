using System.Security.Cryptography;
using System.Text;

namespace TinyLlm.Storage.Tests;

public sealed class ModelFilesTests : IDisposable
{
    private const long Plenty = 1L << 40;

    private readonly TemporaryFolder folder = new();
    private readonly ObjectStore store;
    private readonly ModelFiles files;
    private readonly UserId owner = UserId.New();
    private readonly VersionId version = VersionId.New();

    public ModelFilesTests()
    {
        store = new FileObjectStore(folder["store"]);
        files = new ModelFiles(store);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static ModelFileName Config => ModelFileName.Parse("config.json");

    private static ModelFileName Weights => ModelFileName.Parse("model.safetensors");

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Append_GoesToItsFinalPlace()
    {
        await AppendAsync(Config, 0, 100);
        await AppendAsync(Config, 100, 50);
        await AppendAsync(Weights, 0, 70);

        Assert.Equal(150, await files.LengthAsync(owner, version, Config, Cancel));
        Assert.Null(await files.LengthAsync(owner, VersionId.New(), Config, Cancel));
        Assert.Equal(BodyStream.Bytes(0, 150), await files.ReadAllAsync(owner, version, Config, null));
        Assert.True(File.Exists(folder[$"store/models/{owner}/{version}/config.json"]));
        Assert.Equal(folder[$"store/models/{owner}/{version}"], files.TryGetLocalFolder(owner, version));
        Assert.Equal([(Config, 150L), (Weights, 70L)], (await files.ListAsync(owner, version, Cancel).ToListAsync(Cancel)).OrderBy(file => file.Name.Value, StringComparer.Ordinal));
    }

    [Fact]
    public async Task Seal_WritesTheManifestOnceAndClosesTheVersion()
    {
        await AppendAsync(Weights, 0, 20_000_000);
        await AppendAsync(Config, 0, 10);

        ModelManifest manifest = await files.SealAsync(owner, version, null, Cancel);
        ModelManifest? read = await files.ReadManifestAsync(owner, version, Cancel);

        Assert.Equal([Config, Weights], manifest.Files.Select(file => file.Name));
        Assert.Equal(20_000_010, manifest.TotalBytes);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(BodyStream.Bytes(0, 20_000_000))), manifest.Files[1].Sha256.Hex);
        Assert.Equal(manifest.Digest, read!.Digest);
        Assert.Equal(manifest.Digest.Hex, Convert.ToHexStringLower(SHA256.HashData(manifest.CanonicalBytes.Span)));
        await AssertErrorAsync(StoreError.Sealed, () => AppendAsync(Config, 10, 5));
        await AssertErrorAsync(StoreError.Sealed, () => AppendAsync(ModelFileName.Parse("README.md"), 0, 5));
        await AssertErrorAsync(StoreError.Sealed, () => files.SealAsync(owner, version, null, Cancel));
        Assert.Equal(10, await files.LengthAsync(owner, version, Config, Cancel));
    }

    [Fact]
    public async Task Seal_HundredAtOnce_ExactlyOnePublishes()
    {
        await AppendAsync(Config, 0, 100_000);
        ModelFiles[] hosts = [files, new ModelFiles(store), new ModelFiles(new FileObjectStore(folder["store"]))];

        bool[] published = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => Task.Run(async () =>
        {
            try
            {
                await hosts[i % hosts.Length].SealAsync(owner, version, null, Cancel);
                return true;
            }
            catch (StoreException error) when (error.Error == StoreError.Sealed)
            {
                return false;
            }
        }, Cancel)));

        Assert.Single(published, true);
    }

    [Fact]
    public async Task Seal_WhileAnAppendIsUnderWay_IsRefusedUntilItEnds()
    {
        TaskCompletionSource started = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource resume = new(TaskCreationOptions.RunContinuationsAsynchronously);
        BodyStream body = new(100, async cancel =>
        {
            started.TrySetResult();
            await resume.Task.WaitAsync(cancel);
        });
        Task<long> append = files.AppendAsync(owner, version, Config, 0, body, Plenty, null, null, Cancel);
        await started.Task.WaitAsync(Cancel);

        await AssertErrorAsync(StoreError.Sealed, () => files.SealAsync(owner, version, null, Cancel));
        resume.SetResult();
        await append;

        Assert.Equal(100, (await files.SealAsync(owner, version, null, Cancel)).TotalBytes);
    }

    [Fact]
    public async Task Seal_OfNothing_IsNotFoundAndTheVersionStaysOpen()
    {
        await AssertErrorAsync(StoreError.NotFound, () => files.SealAsync(owner, version, null, Cancel));

        await AppendAsync(Config, 0, 1);
        Assert.Null(await files.ReadManifestAsync(owner, version, Cancel));
    }

    [Fact]
    public async Task Delete_TakesTheVersionAndLeavesOthers()
    {
        VersionId other = VersionId.New();
        UserId bob = UserId.New();
        await AppendAsync(Config, 0, 1);
        await files.AppendAsync(owner, other, Config, 0, new BodyStream(1), Plenty, null, null, Cancel);
        await files.AppendAsync(bob, version, Config, 0, new BodyStream(1), Plenty, null, null, Cancel);

        await files.DeleteAsync(owner, version, Cancel);
        Assert.Null(await files.LengthAsync(owner, version, Config, Cancel));
        Assert.Equal(1, await files.LengthAsync(owner, other, Config, Cancel));

        await files.DeleteOwnerAsync(owner, Cancel);
        Assert.Null(await files.LengthAsync(owner, other, Config, Cancel));
        Assert.Equal(1, await files.LengthAsync(bob, version, Config, Cancel));
    }

    [Fact]
    public void Manifest_AnyOrderOfFiles_HasTheSameCanonicalBytes()
    {
        ContentDigest digest = new(new byte[32]);
        VersionId id = VersionId.Parse("0123456789012345678901");
        ModelManifest manifest = ModelManifest.Create(id, [new(Weights, 2, digest), new(ModelFileName.Parse("README.md"), 0, digest), new(Config, 1, digest)]);

        string zeros = new('0', 64);
        Assert.Equal(
            $$"""{"format":2,"version":"0123456789012345678901","files":[{"name":"README.md","length":0,"sha256":"{{zeros}}"},{"name":"config.json","length":1,"sha256":"{{zeros}}"},{"name":"model.safetensors","length":2,"sha256":"{{zeros}}"}]}""",
            Encoding.UTF8.GetString(manifest.CanonicalBytes.Span));
        Assert.Equal(manifest.Digest, ModelManifest.Create(id, manifest.Files.Reverse()).Digest);
        Assert.Equal(manifest.Files, ModelManifest.Parse(manifest.CanonicalBytes.Span).Files);
        Assert.Throws<ArgumentException>(() => ModelManifest.Create(id, [new(Config, 1, digest), new(Config, 2, digest)]));
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("{\"format\":2,\"version\":\"0123456789012345678901\",\"files\":null}")]
    [InlineData("{\"format\":2,\"version\":\"0123456789012345678901\"}")]
    [InlineData("{\"format\":2,\"version\":null,\"files\":[]}")]
    [InlineData("{\"format\":2,\"version\":\"0123456789012345678901\", \"files\":[]}")]
    [InlineData("{\"format\":2,\"files\":[],\"version\":\"0123456789012345678901\"}")]
    [InlineData("{\"format\":2,\"version\":\"0123456789012345678901\",\"files\":[],\"more\":1}")]
    [InlineData("{\"format\":2,\"version\":\"0123456789012345678901\",\"files\":[null]}")]
    [InlineData("{\"format\":2,\"version\":\"0123456789012345678901\",\"files\":[{\"name\":\"../x\",\"length\":1,\"sha256\":\"00\"}]}")]
    [InlineData("{\"format\":2,\"version\":\"0123456789012345678901\",\"files\":[{\"name\":\"config.json\",\"length\":-1,\"sha256\":\"0000000000000000000000000000000000000000000000000000000000000000\"}]}")]
    [InlineData("{\"format\":2,\"version\":\"0123456789012345678901\",\"files\":[{\"name\":\"config.json\",\"length\":1,\"sha256\":\"00\"}]}")]
    public void Manifest_NotCanonical_IsDamaged(string json) =>
        Assert.Equal(StoreError.Damaged, Assert.Throws<StoreException>(() => ModelManifest.Parse(Encoding.UTF8.GetBytes(json))).Error);

    [Fact]
    public async Task Manifest_AnyBitFlipped_IsDamagedOrAnotherDigest()
    {
        await AppendAsync(Config, 0, 100);
        ModelManifest manifest = await files.SealAsync(owner, version, null, Cancel);
        byte[] bytes = manifest.CanonicalBytes.ToArray();
        for (int bit = 0; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            try
            {
                Assert.NotEqual(manifest.Digest, ModelManifest.Parse(bytes).Digest);
            }
            catch (StoreException error)
            {
                Assert.Equal(StoreError.Damaged, error.Error);
            }
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Fact]
    public async Task ReadManifest_OfAnotherVersion_IsDamaged()
    {
        await AppendAsync(Config, 0, 100);
        ModelManifest manifest = await files.SealAsync(owner, version, null, Cancel);
        VersionId other = VersionId.New();
        await store.PutAsync($"models/{owner}/{other}/manifest.json", manifest.CanonicalBytes, PutCondition.Always, Cancel);

        await AssertErrorAsync(StoreError.Damaged, () => files.ReadManifestAsync(owner, other, Cancel));
    }

    private Task<long> AppendAsync(ModelFileName file, long offset, long length) =>
        files.AppendAsync(owner, version, file, offset, new BodyStream(length, patternOffset: offset), Plenty, null, null, Cancel);

    private static async Task AssertErrorAsync(StoreError error, Func<Task> call) =>
        Assert.Equal(error, (await Assert.ThrowsAsync<StoreException>(call)).Error);
}
