using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Residency;
using TinyLlm.Storage;
using TinyLlm.Tests;

namespace TinyLlm.Grains.Tests.Residency;

/// <summary>Loads of encrypted versions, and from a store that is no folder.</summary>
public sealed class WeightLoadTests(Azurite azurite)
{
    private const string Weights = "model.safetensors";

    private static readonly long s_weights = TinyModel.WeightBytes;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Acquire_Encrypted_AnswersAsTheFilesSay()
    {
        await using TestHost host = new(2 * s_weights, encrypted: true);
        using ResidentHold hold = await host.Host.AcquireAsync(await host.StoreAsync(), Cancel);

        await hold.Start(TestHost.Request(4, 3))[0].Completion;

        Assert.Equal(TinyCheckpoint.Vocabulary, hold.Model.Config.VocabularySize);
        Assert.Equal((1, s_weights), (host.Host.Snapshot().Models, host.Host.Snapshot().ReservedBytes));
    }

    /// <summary>Conversion to the device takes the processor: whoever answers meanwhile goes first.</summary>
    [Fact]
    public async Task Acquire_OnLinux_GivesTheWeightsToTheDeviceAtLowPriority()
    {
        Niceness.Require();
        await using TestHost host = new(2 * s_weights);
        (int usual, int loading) = (Niceness.OfThisThread(), 0);
        host.Device.Loads = () => loading = Niceness.OfThisThread();

        using ResidentHold hold = await host.Host.AcquireAsync(await host.StoreAsync(), Cancel);

        Assert.InRange(loading, usual + 1, Niceness.Most);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Acquire_HundredSessionsFromAnAccount_ReadEachByteOnce(bool encrypted)
    {
        RequestLog log = new();
        await using TestHost host = new(2 * s_weights, encrypted, await log.OpenStoreAsync(azurite));
        VersionAddress address = await host.StoreAsync();
        log.Reads.Clear();

        ResidentHold[] holds = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => Task.Run(() => host.Host.AcquireAsync(address, Cancel), Cancel)));

        Assert.All(holds, hold => Assert.Same(holds[0].Model, hold.Model));
        string[] reads = [.. log.Reads];
        Assert.Single(reads, read => read.EndsWith("/manifest.json", StringComparison.Ordinal));
        int ofWeights = reads.Count(read => read.Contains(Weights, StringComparison.Ordinal)), ofTokenizer = reads.Count(read => read.Contains("tokenizer.json", StringComparison.Ordinal));
        Assert.InRange(ofWeights, 2, 3); // encryption's header, the file's header, the weights
        Assert.InRange(ofTokenizer, 1, 2);
        foreach (ResidentHold hold in holds) hold.Dispose();
    }

    [Theory]
    [InlineData(Weights, true)]
    [InlineData(Weights, false)]
    [InlineData("config.json", true)]
    [InlineData("tokenizer.json", false)]
    public async Task Acquire_DamagedInAnAccount_IsRefusedAndOthersLoad(string file, bool encrypted)
    {
        await using TestHost host = new(3 * s_weights, encrypted, await new RequestLog().OpenStoreAsync(azurite));
        VersionAddress[] models = await host.StoreAsync(2);
        string name = ModelFiles.ObjectNameOf(models[0].Owner, models[0].Version, ModelFileName.Parse(file)) + (encrypted ? ".sealed" : "");
        byte[] bytes = (await host.Store.GetAsync(name, Cancel))!.Bytes.ToArray();
        bytes[^20] ^= 4;
        await host.Store.PutAsync(name, bytes, PutCondition.Always, Cancel);

        RequestException refusal = await Refusal.OfAsync(RequestError.ModelDamaged, () => host.TouchAsync(models[0]));

        Assert.DoesNotContain(models[0].Version.Value, refusal.Message, StringComparison.Ordinal);
        Assert.Equal((0, 0, 0L, 0L), (host.Host.Snapshot().Models, host.Host.Snapshot().Holds, host.Host.Snapshot().ReservedBytes, host.Device.LiveTensors));
        await host.TouchAsync(models[1]);
    }

    [Theory]
    [InlineData(Weights)]
    [InlineData("config.json")]
    [InlineData("tokenizer.json")]
    public async Task Acquire_EncryptedFileChanged_IsRefusedUntilItIsMended(string file)
    {
        await using TestHost host = new(2 * s_weights, encrypted: true);
        VersionAddress address = await host.StoreAsync();
        string path = Path.Combine(host.Files.TryGetLocalFolder(address.Owner, address.Version)!, file + ".sealed");
        byte[] whole = await File.ReadAllBytesAsync(path, Cancel);
        foreach (byte[] changed in (byte[][])[whole[..(whole.Length / 2)], [.. whole[..^1], (byte)~whole[^1]], [.. whole, 0], []])
        {
            await File.WriteAllBytesAsync(path, changed, Cancel);
            await Refusal.OfAsync(RequestError.ModelDamaged, () => host.TouchAsync(address));
            Assert.Equal((0, 0L, 0L), (host.Host.Snapshot().Models, host.Host.Snapshot().ReservedBytes, host.Device.LiveTensors));
        }
        await File.WriteAllBytesAsync(path, whole, Cancel);

        await host.TouchAsync(address);
    }

    [Fact]
    public async Task Acquire_FileOfAnotherVersion_IsRefused()
    {
        await using TestHost host = new(2 * s_weights, encrypted: true);
        VersionAddress[] models = await host.StoreAsync(2);
        string[] paths = [.. models.Select(model => Path.Combine(host.Files.TryGetLocalFolder(model.Owner, model.Version)!, Weights + ".sealed"))];
        File.Copy(paths[1], paths[0], overwrite: true);

        await Refusal.OfAsync(RequestError.ModelDamaged, () => host.TouchAsync(models[0]));
        await host.TouchAsync(models[1]);
    }

    /// <summary>It opens with the version's own key and every chunk of it is genuine: only what the manifest keeps of it tells that it is not what was committed.</summary>
    [Fact]
    public async Task Acquire_AnotherSendingOfTheSameFile_IsRefused()
    {
        await using TestHost host = new(2 * s_weights, encrypted: true), elsewhere = new(2 * s_weights, encrypted: true);
        VersionAddress address = await host.StoreAsync();
        byte[] earlier = [.. TinyModel.Files[Weights]];
        earlier[^1] ^= 1;
        await elsewhere.Files.AppendAsync(address.Owner, address.Version, ModelFileName.Parse(Weights), 0, new MemoryStream(earlier), earlier.Length, null, address.Key, Cancel);
        await elsewhere.Files.SealAsync(address.Owner, address.Version, address.Key, Cancel);

        string[] paths = [.. new[] { elsewhere, host }.Select(of => Path.Combine(of.Files.TryGetLocalFolder(address.Owner, address.Version)!, Weights + ".sealed"))];
        Assert.Equal(new FileInfo(paths[1]).Length, new FileInfo(paths[0]).Length);
        File.Copy(paths[0], paths[1], overwrite: true);

        await Refusal.OfAsync(RequestError.ModelDamaged, () => host.TouchAsync(address));
    }

    [Fact]
    public async Task Dispose_WhileLoading_EndsTheLoad()
    {
        RequestLog log = new();
        await using TestHost host = new(2 * s_weights, encrypted: true, await log.OpenStoreAsync(azurite));
        VersionAddress address = await host.StoreAsync();
        log.HeldPath = Weights;
        Task<ResidentHold> loading = host.Host.AcquireAsync(address, Cancel);
        await log.Reached.Task.WaitAsync(Cancel);

        host.Host.Dispose();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => loading);
        Assert.Equal((0, 0, 0L), (host.Host.Snapshot().Models, host.Host.Snapshot().Holds, host.Host.Snapshot().ReservedBytes));
    }
}
