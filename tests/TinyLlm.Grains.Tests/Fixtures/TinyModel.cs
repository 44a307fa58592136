using System.Text.Json;
using System.Text.Json.Nodes;

namespace TinyLlm.Tests;

/// <summary>
/// A whole model made in code: a random checkpoint, and a tokenizer of single letters. On the simulated device a prompt of four ids goes on with
/// the alphabet: the token at position n is n, and ids from 4 on are "abc…zABC…".
/// </summary>
internal static class TinyModel
{
    public const int FirstLetter = 4;

    private static readonly Lazy<SortedDictionary<string, byte[]>> s_files = new(Make);

    /// <summary>Every file by name. The same at each call.</summary>
    public static IReadOnlyDictionary<string, byte[]> Files => s_files.Value;

    /// <summary>Bytes of the weights on any device.</summary>
    public static long WeightBytes { get; } = Measure();

    /// <summary>The text of the <paramref name="count"/> tokens that follow a prompt of <paramref name="promptTokens"/>.</summary>
    public static string Continuation(int promptTokens, int count) =>
        string.Concat(Enumerable.Range(promptTokens, count).Select(id => Letter(id - FirstLetter)));

    private static char Letter(int index) => (char)(index < 26 ? 'a' + index : 'A' + index - 26);

    private static long Measure()
    {
        using TinyCheckpoint checkpoint = new();
        return checkpoint.Tensors.Values.Sum(tensor => tensor.Shape.Aggregate(1L, (product, size) => product * size) * sizeof(float));
    }

    private static SortedDictionary<string, byte[]> Make()
    {
        using TinyCheckpoint checkpoint = new();
        SortedDictionary<string, byte[]> files = new(StringComparer.Ordinal);
        foreach (string path in Directory.EnumerateFiles(checkpoint.Write())) files[Path.GetFileName(path)] = File.ReadAllBytes(path);
        files["tokenizer.json"] = JsonSerializer.SerializeToUtf8Bytes(MakeTokenizer());
        files["tokenizer_config.json"] = JsonSerializer.SerializeToUtf8Bytes(new { bos_token = "<s>", eos_token = "</s>" });
        return files;
    }

    private static JsonObject MakeTokenizer()
    {
        JsonObject vocabulary = new() { ["<unk>"] = 0, ["<s>"] = 1, ["</s>"] = 2, ["_"] = 3 };
        for (int id = FirstLetter; id < TinyCheckpoint.Vocabulary; id++) vocabulary[Letter(id - FirstLetter).ToString()] = id;
        return new JsonObject
        {
            ["version"] = "1.0",
            ["added_tokens"] = new JsonArray(Special(0, "<unk>"), Special(1, "<s>"), Special(2, "</s>")),
            ["normalizer"] = new JsonObject { ["type"] = "Replace", ["pattern"] = new JsonObject { ["String"] = " " }, ["content"] = "_" },
            ["pre_tokenizer"] = null,
            ["post_processor"] = new JsonObject
            {
                ["type"] = "TemplateProcessing",
                ["single"] = new JsonArray(
                    new JsonObject { ["SpecialToken"] = new JsonObject { ["id"] = "<s>", ["type_id"] = 0 } },
                    new JsonObject { ["Sequence"] = new JsonObject { ["id"] = "A", ["type_id"] = 0 } }),
                ["pair"] = new JsonArray(),
                ["special_tokens"] = new JsonObject
                {
                    ["<s>"] = new JsonObject { ["id"] = "<s>", ["ids"] = new JsonArray(1), ["tokens"] = new JsonArray("<s>") },
                },
            },
            ["decoder"] = new JsonObject
            {
                ["type"] = "Sequence",
                ["decoders"] = new JsonArray(
                    new JsonObject { ["type"] = "Replace", ["pattern"] = new JsonObject { ["String"] = "_" }, ["content"] = " " },
                    new JsonObject { ["type"] = "Fuse" }),
            },
            ["model"] = new JsonObject
            {
                ["type"] = "BPE",
                ["unk_token"] = "<unk>",
                ["vocab"] = vocabulary,
                ["merges"] = new JsonArray(),
            },
        };
    }

    private static JsonObject Special(int id, string content) => new()
    {
        ["id"] = id,
        ["content"] = content,
        ["single_word"] = false,
        ["lstrip"] = false,
        ["rstrip"] = false,
        ["normalized"] = false,
        ["special"] = true,
    };
}
