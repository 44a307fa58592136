using System.Text;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Models;
using TinyLlm.Grains.Residency;
using TinyLlm.Tests;

namespace TinyLlm.Grains.Tests.Models;

/// <summary>What a commit accepts, a load takes.</summary>
public sealed class ModelValidatorTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Validate_WholeModel_CanBeLoaded(int shards)
    {
        await using TestHost host = new(10 * TinyModel.WeightBytes);
        Dictionary<string, byte[]> files = Files(shards);
        files["generation_config.json"] = "{\"eos_token_id\":[2,3]}"u8.ToArray();

        VersionAddress address = await host.StoreAsync(files);
        ModelFacts facts = await ValidateAsync(host, address, files);
        await host.TouchAsync(address);

        Assert.Equal(("LlamaForCausalLM", TinyModel.WeightBytes), (facts.Architecture, facts.Parameters * sizeof(float)));
    }

    /// <summary>Accepted once, though no load found the weights.</summary>
    [Fact]
    public async Task Validate_OneFileOfWeightsUnderAnotherName_IsRefused()
    {
        Dictionary<string, byte[]> files = Files();
        files.Remove("model.safetensors", out byte[]? weights);
        files["weights.safetensors"] = weights!;
        Assert.Equal(("file_missing", "model.safetensors"), await RefuseAsync(files));
    }

    /// <summary>Accepted once, though every load failed at it.</summary>
    [Theory]
    [InlineData("{\"eos_token_id\":48}", "field_out_of_range")]
    [InlineData("{", "not_json")]
    public async Task Validate_BadGenerationConfig_IsRefused(string json, string code)
    {
        Dictionary<string, byte[]> files = Files();
        files["generation_config.json"] = Encoding.UTF8.GetBytes(json);
        Assert.Equal((code, "generation_config.json"), await RefuseAsync(files));
    }

    [Theory]
    [InlineData("config.json")]
    [InlineData("tokenizer.json")]
    [InlineData("model.safetensors")]
    public async Task Validate_FileMissing_IsNamed(string file)
    {
        Dictionary<string, byte[]> files = Files();
        files.Remove(file);
        Assert.Equal(("file_missing", file), await RefuseAsync(files));
    }

    private static Dictionary<string, byte[]> Files(int shards = 1)
    {
        Dictionary<string, byte[]> files = new(TinyModel.Files);
        if (shards == 1) return files;
        files.Remove("model.safetensors");
        using TinyCheckpoint checkpoint = new();
        foreach (string path in Directory.EnumerateFiles(checkpoint.Write(shards))) files[Path.GetFileName(path)] = File.ReadAllBytes(path);
        return files;
    }

    private static Task<ModelFacts> ValidateAsync(TestHost host, VersionAddress address, IReadOnlyDictionary<string, byte[]> files) =>
        ModelValidator.ValidateAsync(new VersionFiles(host.Files, address.Owner, address.Version, address.Key), [.. files.Keys], 1, Cancel);

    private static async Task<(string? Detail, string? FileName)> RefuseAsync(IReadOnlyDictionary<string, byte[]> files)
    {
        await using TestHost host = new(TinyModel.WeightBytes);
        VersionAddress address = await host.StoreAsync(files);
        RequestException refusal = await Refusal.OfAsync(RequestError.ModelInvalid, () => ValidateAsync(host, address, files));
        return (refusal.Detail, refusal.FileName);
    }
}
