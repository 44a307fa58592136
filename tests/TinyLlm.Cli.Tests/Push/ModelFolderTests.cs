using TinyLlm.Cli.Push;
using TinyLlm.Cli.Tests.StandIn;
using TinyLlm.Tests;

namespace TinyLlm.Cli.Tests.Push;

public sealed class ModelFolderTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("tinyllm-folder-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Read_Shards_AreThoseThatTheIndexNames()
    {
        WriteSharded("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors");
        ModelSample.WriteWeights(folder, "model.safetensors", "a", 8);
        ModelFolder model = await ReadAsync();
        Assert.Equal(
            ["config.json", "model.safetensors.index.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"],
            model.Files.Select(file => file.Name));
        Assert.Equal(["model.safetensors"], model.LeftOut);
    }

    [Fact]
    public async Task Read_IndexNamesAnAbsentShard_IsRefusedByName()
    {
        WriteSharded("one.safetensors", "two.safetensors");
        File.Delete(Path.Combine(folder, "two.safetensors"));
        Assert.Contains("'two.safetensors'", await RefusalAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_TensorIsNotInTheShardThatTheIndexNames_IsRefusedByName()
    {
        WriteSharded("one.safetensors", "two.safetensors");
        ModelSample.WriteWeights(folder, "two.safetensors", "other", 8);
        string refusal = await RefusalAsync();
        Assert.Contains("two.safetensors", refusal, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_OverlappingTensors_NamesFileAndTensor()
    {
        ModelSample.Write(folder);
        const string header = """{"first":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"second":{"dtype":"U8","shape":[8],"data_offsets":[4,12]}}""";
        File.WriteAllBytes(
            Path.Combine(folder, "model.safetensors"), [.. BitConverter.GetBytes((ulong)header.Length), .. System.Text.Encoding.ASCII.GetBytes(header), .. new byte[12]]);
        string refusal = await RefusalAsync();
        Assert.StartsWith("model.safetensors: ", refusal, StringComparison.Ordinal);
        Assert.Contains("second", refusal, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("config.json")]
    [InlineData("tokenizer.json")]
    public async Task Read_BrokenJson_IsRefusedByName(string file)
    {
        ModelSample.Write(folder);
        File.WriteAllText(Path.Combine(folder, file), "{\n\"a\": nonsense}");
        Assert.StartsWith($"{file} is not JSON: line 2", await RefusalAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_NoModel_SaysWhatIsMissing()
    {
        Assert.Contains("has no config.json", await RefusalAsync(), StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(folder, "config.json"), "{}");
        Assert.Contains("has no *.safetensors", await RefusalAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_Signature_IsSentAndMustCoverWhatIsSent()
    {
        using ForeignSigner signer = new();
        ModelSample.Write(folder);
        Dictionary<string, byte[]> files = Directory.GetFiles(folder).ToDictionary(path => Path.GetFileName(path), File.ReadAllBytes);
        await File.WriteAllBytesAsync(Path.Combine(folder, "model.sig"), signer.Sign(files), TestContext.Current.CancellationToken);
        Assert.Contains("model.sig", (await ReadAsync()).Files.Select(file => file.Name));

        await File.WriteAllTextAsync(Path.Combine(folder, "LICENSE"), "free", TestContext.Current.CancellationToken);
        Assert.Equal(["LICENSE"], (await ReadAsync()).LeftOut); // it was not signed either
        files["LICENSE"] = "free"u8.ToArray();
        await File.WriteAllBytesAsync(Path.Combine(folder, "model.sig"), signer.Sign(files), TestContext.Current.CancellationToken);
        Assert.StartsWith("model.sig covers 'LICENSE'", await RefusalAsync(), StringComparison.Ordinal);
        await File.WriteAllTextAsync(Path.Combine(folder, "model.sig"), "nothing", TestContext.Current.CancellationToken);
        Assert.StartsWith("model.sig: ", await RefusalAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_Links_AreFollowed()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "links need a privilege on Windows");
        string blobs = Directory.CreateDirectory(Path.Combine(folder, "blobs")).FullName;
        string snapshot = Directory.CreateDirectory(Path.Combine(folder, "snapshot")).FullName;
        foreach (string file in Directory.GetFiles(ModelSample.Write(blobs)))
            File.CreateSymbolicLink(Path.Combine(snapshot, Path.GetFileName(file)), file);
        ModelFolder model = await ModelFolder.ReadAsync(snapshot, TestContext.Current.CancellationToken);
        Assert.Equal(new FileInfo(Path.Combine(blobs, "model.safetensors")).Length, model.Files[^1].Bytes);
    }

    [Fact]
    public async Task Read_ReferenceModel_IsWhole()
    {
        ModelFolder model = await ModelFolder.ReadAsync(TestData.Require("models/stories260K"), TestContext.Current.CancellationToken);
        Assert.Equal(
            ["config.json", "generation_config.json", "special_tokens_map.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"],
            model.Files.Select(file => file.Name));
        Assert.Equal(["reference_greedy.json", "reference_tokenization.json"], model.LeftOut);
    }

    private void WriteSharded(string first, string second)
    {
        File.WriteAllText(Path.Combine(folder, "config.json"), "{}");
        ModelSample.WriteWeights(folder, first, "a", 8);
        ModelSample.WriteWeights(folder, second, "b", 8);
        File.WriteAllText(
            Path.Combine(folder, "model.safetensors.index.json"),
            $$$"""{"metadata":{"total_size":16},"weight_map":{"a":"{{{first}}}","b":"{{{second}}}"}}""");
    }

    private Task<ModelFolder> ReadAsync() => ModelFolder.ReadAsync(folder, TestContext.Current.CancellationToken);

    private async Task<string> RefusalAsync() => (await Assert.ThrowsAsync<UsageException>(ReadAsync)).Message;
}
