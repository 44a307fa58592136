using System.Text.Json.Nodes;
using TinyLlm.Tests;

namespace TinyLlm.EndToEnd.Tests.Harness;

/// <summary>The small trained model of the reference data, and what the C reference makes of it.</summary>
internal static class Stories
{
    private static readonly string[] FileNames =
        ["config.json", "generation_config.json", "model.safetensors", "special_tokens_map.json", "tokenizer.json", "tokenizer_config.json"];

    /// <summary>Where it lies; skips the test where the reference data is absent.</summary>
    public static string Folder => TestData.Require("models/stories260K");

    /// <summary>The files of the model, to be changed at will.</summary>
    public static Dictionary<string, byte[]> Files() => FileNames.ToDictionary(name => name, name => File.ReadAllBytes(Path.Combine(Folder, name)));

    /// <summary>The reference's greedy outputs.</summary>
    public static List<GreedyCase> GreedyCases() =>
    [
        .. JsonNode.Parse(File.ReadAllText(Path.Combine(Folder, "reference_greedy.json")))!["cases"]!.AsArray()
            .Select(item => new GreedyCase((string)item!["prompt"]!, Ids(item["prompt_ids"]!), Ids(item["greedy_ids"]!), (string)item["text"]!)),
    ];

    private static int[] Ids(JsonNode ids) => [.. ids.AsArray().Select(id => (int)id!)];
}

/// <summary>One prompt of the reference.</summary>
/// <param name="Prompt">Its text.</param>
/// <param name="PromptIds">Its ids, with the begin-of-text id.</param>
/// <param name="AllIds">Prompt and continuation.</param>
/// <param name="AllText">Text of all, without the begin-of-text id.</param>
internal sealed record GreedyCase(string Prompt, int[] PromptIds, int[] AllIds, string AllText)
{
    /// <summary>The generated ids.</summary>
    public int[] NewIds => AllIds[PromptIds.Length..];

    /// <summary>The generated text.</summary>
    public string NewText => AllText[Prompt.Length..];
}
