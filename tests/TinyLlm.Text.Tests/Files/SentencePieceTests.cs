using System.Text.Json;
using TinyLlm.Tests;
using TinyLlm.Text.Tests.Oracles;

namespace TinyLlm.Text.Tests.Files;

/// <summary>The tokenizer.model of a known tokenizer.json, written here, must give the same ids.</summary>
public sealed class SentencePieceTests
{
    private const int Normal = 1, Unknown = 2, Control = 3, Byte = 6;

    [Fact]
    public void Encode_BytePairModel_EqualsItsTokenizerJson()
    {
        JsonElement model = Model("phi-3-mini");
        // A piece scores by the rank of the first merge that makes it: the conversion to tokenizer.json went the other way.
        Dictionary<string, int> ranks = new(StringComparer.Ordinal);
        int rank = 0;
        foreach (JsonElement merge in model.GetProperty("merges").EnumerateArray()) ranks.TryAdd(merge.GetString()!.Replace(" ", "", StringComparison.Ordinal), rank++);
        ModelProtoWriter file = new();
        foreach (JsonProperty piece in model.GetProperty("vocab").EnumerateObject().OrderBy(piece => piece.Value.GetInt32()))
        {
            int type = piece.Name switch
            {
                "<unk>" => Unknown,
                "<s>" or "</s>" => Control,
                _ => piece.Name.StartsWith("<0x", StringComparison.Ordinal) ? Byte : Normal,
            };
            file.Piece(piece.Name, -ranks.GetValueOrDefault(piece.Name, rank), type);
        }
        file.Trainer(modelType: 2, byteFallback: true).Normalizer([], removeExtraWhitespaces: false);
        byte[] config = File.ReadAllBytes(TestData.Require("tokenizers/phi-3-mini/tokenizer_config.json"));

        Compare(ReferenceTokenizers.Load("tokenizers/phi-3-mini"), Tokenizer.LoadSentencePiece(file.ToArray(), config), ["<|user|>", "</s>", "<s>"]);
    }

    [Fact]
    public void Encode_UnigramModel_EqualsItsTokenizerJson()
    {
        JsonElement[] pieces = [.. Model("t5-small").GetProperty("vocab").EnumerateArray()];
        ModelProtoWriter file = new();
        foreach (JsonElement piece in pieces[..32_000])
        {
            string token = piece[0].GetString()!;
            file.Piece(token, piece[1].GetSingle(), token switch { "<unk>" => Unknown, "<pad>" or "</s>" => Control, _ => Normal });
        }
        string map = Root("t5-small").GetProperty("normalizer").GetProperty("precompiled_charsmap").GetString()!;
        file.Trainer(modelType: 1, byteFallback: false).Normalizer(Convert.FromBase64String(map), removeExtraWhitespaces: true);
        byte[] config = File.ReadAllBytes(TestData.Require("tokenizers/t5-small/tokenizer_config.json"));

        Compare(ReferenceTokenizers.Load("tokenizers/t5-small"), Tokenizer.LoadSentencePiece(file.ToArray(), config), ["</s>", "<pad>"]);
    }

    [Fact]
    public void Load_AnyCutOrFlippedByte_IsReadOrRefused()
    {
        byte[] file = new ModelProtoWriter().Piece("<unk>", 0, Unknown).Piece("a", -1, Normal).Piece("\u2581a", -2, Normal).Piece("\u2581", -3, Normal)
            .Trainer(modelType: 2, byteFallback: false).Normalizer([], removeExtraWhitespaces: true).ToArray();
        Assert.Equal([2], Tokenizer.LoadSentencePiece(file, []).Encode("a", addSpecialTokens: false));

        for (int at = 0; at < file.Length; at++)
        {
            ReadOrRefuse(file[..at]);
            for (int bit = 0; bit < 8; bit++)
            {
                byte[] flipped = [.. file];
                flipped[at] ^= (byte)(1 << bit);
                ReadOrRefuse(flipped);
            }
        }
    }

    private static void ReadOrRefuse(byte[] file)
    {
        try
        {
            Tokenizer.LoadSentencePiece(file, []).Encode("a b", addSpecialTokens: true);
        }
        catch (TokenizerFormatException e)
        {
            Assert.NotEmpty(e.Message);
        }
    }

    private static void Compare(Tokenizer expected, Tokenizer actual, string[] specialTokens)
    {
        foreach (string text in new StringGenerator(seed: 5, specialTokens).Take(2_000))
        {
            int[] ids = expected.Encode(text, addSpecialTokens: true, parseSpecialTokens: true);
            Assert.True(ids.SequenceEqual(actual.Encode(text, addSpecialTokens: true, parseSpecialTokens: true)),
                $"{JsonSerializer.Serialize(text)}\njson:  {string.Join(' ', ids)}\nmodel: {string.Join(' ', actual.Encode(text, true, true))}");
            Assert.Equal(expected.Decode(ids, skipSpecialTokens: false), actual.Decode(ids, skipSpecialTokens: false));
        }
    }

    private static JsonElement Model(string name) => Root(name).GetProperty("model");

    private static JsonElement Root(string name) =>
        JsonSerializer.Deserialize<JsonElement>(File.ReadAllBytes(TestData.Require($"tokenizers/{name}/tokenizer.json")));
}
