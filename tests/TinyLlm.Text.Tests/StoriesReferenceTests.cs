using System.Text.Json;
using TinyLlm.Tests;

namespace TinyLlm.Text.Tests;

/// <summary>The tokenizer of stories260K against ids and texts that other implementations made.</summary>
public sealed class StoriesReferenceTests
{
    [Fact]
    public void Encode_ReferenceLines_EqualIds()
    {
        Tokenizer tokenizer = ReferenceTokenizers.Stories();
        using JsonDocument lines = JsonDocument.Parse(File.ReadAllBytes(TestData.Require("models/stories260K/reference_tokenization.json")));

        foreach (JsonElement line in lines.RootElement.EnumerateArray())
        {
            string text = line.GetProperty("text").GetString()!;
            int[] expected = Ids(line.GetProperty("ids"));
            Assert.Equal(expected, tokenizer.Encode(text, addSpecialTokens: true));
            Assert.Equal(expected[1..], tokenizer.Encode(text, addSpecialTokens: false));
            Assert.Equal(text, tokenizer.Decode(expected, skipSpecialTokens: true));
        }
        Assert.Equal(232, lines.RootElement.GetArrayLength());
    }

    [Fact]
    public void Decode_ReferenceGreedyIds_EqualTexts()
    {
        Tokenizer tokenizer = ReferenceTokenizers.Stories();
        using JsonDocument reference = JsonDocument.Parse(File.ReadAllBytes(TestData.Require("models/stories260K/reference_greedy.json")));

        foreach (JsonElement item in reference.RootElement.GetProperty("cases").EnumerateArray())
        {
            int[] prompt = Ids(item.GetProperty("prompt_ids"));
            int[] greedy = Ids(item.GetProperty("greedy_ids"));
            string text = item.GetProperty("text").GetString()!;
            Assert.Equal(prompt, tokenizer.Encode(item.GetProperty("prompt").GetString()!, addSpecialTokens: true));
            Assert.Equal(text, tokenizer.Decode(greedy, skipSpecialTokens: true));
        }
    }

    [Fact]
    public void Load_Stories_KnowsItsOwnTokens()
    {
        Tokenizer tokenizer = ReferenceTokenizers.Stories();

        Assert.Equal((512, 1, 2), (tokenizer.VocabularySize, tokenizer.BeginOfTextId, tokenizer.EndOfTextId));
    }

    [Fact]
    public void Encode_SpecialTokenInText_IsTextUnlessParsed()
    {
        Tokenizer tokenizer = ReferenceTokenizers.Stories();

        Assert.DoesNotContain(2, tokenizer.Encode("end</s>", addSpecialTokens: false));
        Assert.Equal("end</s>", tokenizer.Decode(tokenizer.Encode("end</s>", addSpecialTokens: false), skipSpecialTokens: true));
        Assert.Equal([.. tokenizer.Encode("end", addSpecialTokens: false), 2], tokenizer.Encode("end</s>", addSpecialTokens: false, parseSpecialTokens: true));
    }

    [Fact]
    public void Encode_LoneSurrogate_CountsAsReplacementCharacter()
    {
        Tokenizer tokenizer = ReferenceTokenizers.Stories();

        Assert.Equal(tokenizer.Encode("a\uFFFDb\uFFFD", addSpecialTokens: false), tokenizer.Encode("a\uDC00b\uD800", addSpecialTokens: false));
    }

    [Fact]
    public void Encode_EmptyText_IsPostProcessorsTokensOnly()
    {
        Tokenizer tokenizer = ReferenceTokenizers.Stories();

        Assert.Equal([1], tokenizer.Encode("", addSpecialTokens: true));
        Assert.Equal([], tokenizer.Encode("", addSpecialTokens: false));
    }

    private static int[] Ids(JsonElement array) => [.. array.EnumerateArray().Select(id => id.GetInt32())];
}
