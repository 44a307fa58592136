using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using TinyLlm.EndToEnd.Tests.Harness;

namespace TinyLlm.EndToEnd.Tests;

/// <summary>A malformed model is refused at its commit with code, file and tensor, and leaves nothing behind.</summary>
public sealed class MalformedUploadTests(SharedHost shared)
{
    private const string Weights = "model.safetensors";
    private const string Index = "model.safetensors.index.json";
    private const string Norm = "model.norm.weight";

    // Name -> what is broken, and the code, file and tensor that must be named.
    private static readonly Dictionary<string, Fault> Faults = new()
    {
        ["truncated weights"] = new(files => files[Weights] = files[Weights][..^1], "data_past_end", Weights, Norm),
        ["bytes after the last tensor"] = new(files => files[Weights] = [.. files[Weights], 0], "unclaimed_bytes", Weights),
        ["overlap"] = new(files => Edit(files, weights => weights.Shift(Norm, -4)), "overlap", Weights, Norm),
        ["hole"] = new(files => Edit(files, weights => weights.Shift(Norm, 4)), "hole", Weights, Norm),
        ["header longer than allowed"] = new(files => files[Weights] = [.. BitConverter.GetBytes(ulong.MaxValue), .. files[Weights][8..]], "header_too_long", Weights),
        ["header past the end"] = new(files => files[Weights] = [.. BitConverter.GetBytes(90_000_000UL), .. files[Weights][8..]], "header_past_end", Weights),
        ["header is no JSON"] = new(files => files[Weights] = [2, 0, 0, 0, 0, 0, 0, 0, .. "{x"u8], "invalid_json", Weights),
        ["weights of seven bytes"] = new(files => files[Weights] = new byte[7], "file_too_short", Weights),
        ["missing tensor"] = new(files => Edit(files, weights => weights.WithoutLast()), "missing_tensor", Weights, Norm),
        ["left-over tensor"] = new(files => Edit(files, weights => weights.With("left.over", 1)), "unexpected_tensor", Weights, "left.over"),
        ["wrong shape"] = new(files => Edit(files, weights => weights.Tensor(Norm)["shape"] = new JsonArray(32, 2)), "wrong_tensor_shape", Weights, Norm),
        ["wrong type of elements"] = new(files => Edit(files, weights => weights.Tensor(Norm)["dtype"] = "I32"), "wrong_tensor_dtype", Weights, Norm),
        ["unknown type of elements"] = new(files => Edit(files, weights => weights.Tensor(Norm)["dtype"] = "f32"), "unknown_dtype", Weights, Norm),
        ["size that is not the shape's"] = new(files => Edit(files, weights => weights.Tensor(Norm)["shape"] = new JsonArray(63)), "size_mismatch", Weights, Norm),
        ["size overflow"] = new(
            files => Edit(files, weights => weights.Tensor(Norm)["shape"] = new JsonArray(1L << 40, 1L << 40)), "size_overflow", Weights, Norm),
        ["no configuration"] = new(files => files.Remove("config.json"), "file_missing", "config.json"),
        ["no tokenizer"] = new(files => files.Remove("tokenizer.json"), "file_missing", "tokenizer.json"),
        ["no weights"] = new(files => files.Remove(Weights), "file_missing", Weights),
        ["configuration is no JSON"] = new(files => files["config.json"] = "{"u8.ToArray(), "not_json", "config.json"),
        ["unknown architecture"] = new(
            files => EditJson(files, "config.json", config => config["architectures"] = new JsonArray("NoSuchForCausalLM")), "unknown_architecture", "config.json"),
        ["configuration lacks a field"] = new(files => EditJson(files, "config.json", config => config.Remove("hidden_size")), "missing_field", "config.json"),
        ["configuration has a text for a number"] = new(files => EditJson(files, "config.json", config => config["hidden_size"] = "64"), "bad_field", "config.json"),
        ["configuration has an absurd number"] = new(
            files => EditJson(files, "config.json", config => config["num_hidden_layers"] = 1_000_000_000), "field_out_of_range", "config.json"),
        ["tokenizer is no JSON"] = new(files => files["tokenizer.json"] = "nonsense"u8.ToArray(), "not_json", "tokenizer.json"),
        ["tokenizer lacks its model"] = new(files => EditJson(files, "tokenizer.json", tokenizer => tokenizer.Remove("model")), "missing_field", "tokenizer.json"),
        ["tokenizer of another kind"] = new(
            files => EditJson(files, "tokenizer.json", tokenizer => tokenizer["model"]!["type"] = "NoSuch"), "unsupported_model", "tokenizer.json"),
        ["broken chat template"] = new(files => files["chat_template.jinja"] = "{% for %}"u8.ToArray(), "bad_syntax", "chat_template.jinja"),
        ["index names an absent shard"] = new(files => Shard(files, map => map[Norm] = "absent.safetensors"), "shard_missing", Index, Norm),
        ["index lacks a tensor"] = new(files => Shard(files, map => map.Remove(Norm)), "tensor_not_indexed", Index, Norm),
        ["index names a path"] = new(files => Shard(files, map => map[Norm] = "../model.safetensors"), "shard_name", Index, Norm),
        ["two weights without an index"] = new(files => files["more.safetensors"] = files[Weights], "file_missing", Index),
    };

    public static TheoryData<string> Names => [.. Faults.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Commit_MalformedModel_Is422NamesItAndKeepsNothing(string name)
    {
        Fault fault = Faults[name];
        using UserClient user = await shared.NewUserAsync();
        await user.UploadStoriesAsync("good");
        Dictionary<string, byte[]> files = Stories.Files();
        fault.Break(files);
        List<string> before = FilesOnDisk();

        string upload = await user.BeginUploadAsync("broken");
        foreach ((string file, byte[] bytes) in files) await user.PutFileAsync("broken", upload, file, bytes);
        JsonNode refusal = await user.CommitAsync("broken", upload, HttpStatusCode.UnprocessableEntity);

        Assert.Equal((fault.Code, fault.File, fault.Tensor), ((string?)refusal["code"], (string?)refusal["file"], (string?)refusal["tensor"]));
        Assert.NotEmpty((string)refusal["traceId"]!);
        Assert.DoesNotContain(shared.Host.DataFolder, refusal.ToJsonString(), StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", refusal.ToJsonString(), StringComparison.Ordinal);

        Assert.Equal(before, FilesOnDisk());
        await user.CommitAsync("broken", upload, HttpStatusCode.NotFound);
        Assert.Equal([$"{user.Name}/good"], (await user.GetAsync("v1/models"))["data"]!.AsArray().Select(model => (string?)model!["id"]));
        await user.GetAsync($"api/models/{user.Name}/broken", HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Commit_AfterARefusal_TheSameNameTakesAGoodModel()
    {
        using UserClient user = await shared.NewUserAsync();
        Dictionary<string, byte[]> files = Stories.Files();
        files[Weights] = files[Weights][..^1];
        await user.UploadAsync("stories", files, HttpStatusCode.UnprocessableEntity);
        Assert.Equal("stories", (string?)(await user.UploadStoriesAsync())["model"]);
        Assert.NotEmpty(await user.CompleteAsync("stories", "Once upon a time", 5));
    }

    [Fact]
    public async Task Abandon_HalfAnUpload_KeepsNothing()
    {
        using UserClient user = await shared.NewUserAsync();
        await user.UploadStoriesAsync("good");
        List<string> before = FilesOnDisk();
        string upload = await user.BeginUploadAsync("stories");
        foreach ((string file, byte[] bytes) in Stories.Files()) await user.PutFileAsync("stories", upload, file, bytes);
        Assert.NotEqual(before, FilesOnDisk());
        using HttpResponseMessage abandoned = await user.SendAsync(HttpMethod.Delete, $"api/models/stories/uploads/{upload}");
        Assert.True(abandoned.IsSuccessStatusCode);
        Assert.Equal(before, FilesOnDisk());
    }

    [Theory]
    [InlineData("pytorch_model.bin")]
    [InlineData("..%2f..%2fadmin-token")]
    [InlineData("..%5cconfig.json")]
    [InlineData("config.json%00")]
    [InlineData("con.safetensors")]
    [InlineData(".safetensors")]
    [InlineData("CONFIG.JSON")]
    public async Task Put_NameThatNoModelFileHas_IsRefusedAndWritesNothing(string file)
    {
        using UserClient user = await shared.NewUserAsync();
        string upload = await user.BeginUploadAsync("stories");
        List<string> before = FilesOnDisk();
        using HttpResponseMessage answer = await user.SendAsync(
            HttpMethod.Put, $"api/models/stories/uploads/{upload}/files/{file}", new ByteArrayContent(new byte[16]));
        Assert.True(answer.StatusCode is HttpStatusCode.BadRequest or HttpStatusCode.NotFound, $"{answer.StatusCode}");
        Assert.Equal(before, FilesOnDisk());
    }

    [Fact]
    public async Task Put_WrongDigest_IsRefusedAndTheFileCanBeSentAgain()
    {
        using UserClient user = await shared.NewUserAsync();
        Dictionary<string, byte[]> files = Stories.Files();
        string upload = await user.BeginUploadAsync("stories");
        using ByteArrayContent wrong = new(files["config.json"]);
        wrong.Headers.Add("Content-Digest", $"sha-256=:{Convert.ToBase64String(new byte[32])}:");
        using HttpResponseMessage answer = await user.SendAsync(HttpMethod.Put, $"api/models/stories/uploads/{upload}/files/config.json", wrong);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        foreach ((string file, byte[] bytes) in files) await user.PutFileAsync("stories", upload, file, bytes);
        await user.CommitAsync("stories", upload);
    }

    // Files and folders, but for the store's locks: a fixed set of empty files, made as they are first used.
    private static readonly string[] s_elsewhere =
    [
        Path.Combine("objects", ".locks"), Path.Combine("grainstate", ".locks"), Path.Combine("grainstate", ".tmp"),
        Path.Combine("grainstate", "usage-"), Path.Combine("grainstate", "meter-"),
    ];

    private List<string> FilesOnDisk() =>
    [
        .. Directory.EnumerateFileSystemEntries(shared.Host.DataFolder, "*", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(shared.Host.DataFolder, path))
            // Locks are empty files; ledgers of usage and counts of requests are written at times of their own, and hold numbers only.
            .Where(path => !s_elsewhere.Any(prefix => path.StartsWith(prefix, StringComparison.Ordinal)))
            .Order(StringComparer.Ordinal),
    ];

    private static void Edit(Dictionary<string, byte[]> files, Action<WeightsFile> change)
    {
        WeightsFile weights = WeightsFile.Parse(files[Weights]);
        change(weights);
        files[Weights] = weights.ToBytes();
    }

    private static void EditJson(Dictionary<string, byte[]> files, string name, Action<JsonObject> change)
    {
        JsonObject json = JsonNode.Parse(files[name])!.AsObject();
        change(json);
        files[name] = Encoding.UTF8.GetBytes(json.ToJsonString());
    }

    // An index for the one file, which is legal, and then the change that is not.
    private static void Shard(Dictionary<string, byte[]> files, Action<JsonObject> change)
    {
        JsonObject map = [];
        foreach (string tensor in WeightsFile.Parse(files[Weights]).TensorNames) map[tensor] = Weights;
        change(map);
        files[Index] = Encoding.UTF8.GetBytes(new JsonObject { ["metadata"] = new JsonObject(), ["weight_map"] = map }.ToJsonString());
    }

    private sealed record Fault(Action<Dictionary<string, byte[]>> Break, string Code, string File, string? Tensor = null);
}
