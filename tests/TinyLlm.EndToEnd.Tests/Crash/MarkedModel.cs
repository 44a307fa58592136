using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using TinyLlm.EndToEnd.Tests.Harness;
using TinyLlm.Tests;

namespace TinyLlm.EndToEnd.Tests.Crash;

/// <summary>
/// A model whose every file tells which version it belongs to, and which answers any prompt with one letter again and again: the layers add nothing,
/// and one row of the embeddings outweighs all others. Whoever mixes the files of two versions is found out, and so is one who mixes weights.
/// </summary>
internal sealed partial record MarkedModel(char Letter, string Mark)
{
    private const int LettersBegin = TinyModel.VocabularySize - 256;

    public static MarkedModel New(Random random)
    {
        char letter = (char)random.Next('A', 'Z' + 1);
        return new MarkedModel(letter, $"mark-{letter}-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16))}");
    }

    /// <summary>The files, each with the mark in it.</summary>
    public Dictionary<string, byte[]> Files()
    {
        Dictionary<string, byte[]> files = TinyModel.Files();
        foreach (string name in files.Keys.Where(name => name.EndsWith(".json", StringComparison.Ordinal)).ToArray())
        {
            JsonObject json = JsonNode.Parse(files[name])!.AsObject();
            json.Insert(0, "made_by", Mark);
            files[name] = Encoding.UTF8.GetBytes(json.ToJsonString());
        }
        files["model.safetensors"] = Weights();
        files["README.md"] = Encoding.UTF8.GetBytes($"# {Mark}\n");
        return files;
    }

    /// <summary>The mark that a file has, or null.</summary>
    public static string? MarkOf(byte[] file) => MarkPattern().Match(Encoding.Latin1.GetString(file)) is { Success: true } match ? match.Value : null;

    /// <summary>The letter of a mark.</summary>
    public static char LetterOf(string mark) => mark["mark-".Length];

    private byte[] Weights()
    {
        WeightsFile weights = WeightsFile.Parse(TinyModel.Weights());
        foreach (string name in weights.TensorNames)
        {
            if (name.EndsWith("o_proj.weight", StringComparison.Ordinal) || name.EndsWith("down_proj.weight", StringComparison.Ordinal)) weights.BytesOf(name).Clear();
        }
        Span<float> embeddings = MemoryMarshal.Cast<byte, float>(weights.BytesOf("model.embed_tokens.weight"));
        embeddings.Fill(0.01f);
        int width = embeddings.Length / TinyModel.VocabularySize;
        embeddings.Slice((LettersBegin + Letter) * width, width).Fill(1);
        return weights.WithMetadata("made_by", Mark).ToBytes();
    }

    [GeneratedRegex("mark-[A-Z]-[0-9a-f]{32}")]
    private static partial Regex MarkPattern();
}
