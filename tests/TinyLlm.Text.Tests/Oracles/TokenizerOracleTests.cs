using System.Text;
using System.Text.Json;
using TinyLlm.Tests;

namespace TinyLlm.Text.Tests.Oracles;

/// <summary>Ids and decoded text of generated strings, compared with npm @huggingface/tokenizers at test time.</summary>
public sealed class TokenizerOracleTests
{
    private const int Strings = 2_500;

    [Theory]
    [InlineData("smollm", "<|endoftext|>", "<|im_start|>", "<jupyter_text>", "[PAD]")]
    [InlineData("gpt-neox-20b", "<|endoftext|>", "<|padding|>", "  ", "    ")]
    [InlineData("gpt2", "<|endoftext|>")]
    [InlineData("qwen3", "<|im_start|>", "<|im_end|>", "<think>", "</tool_call>")]
    public void Encode_GeneratedStrings_EqualNpm(string name, params string[] specialTokens) =>
        Compare(name, specialTokens, rune => true);

    [Fact]
    public void Encode_GeneratedStringsT5_EqualNpmOutsideItsApproximation() =>
        Compare("t5-small", ["</s>", "<pad>", "<extra_id_7>"], rune => true);

    private static void Compare(string name, string[] specialTokens, Func<Rune, bool> isAllowed)
    {
        string file = TestData.Require($"tokenizers/{name}/tokenizer.json");
        Tokenizer tokenizer = ReferenceTokenizers.Load($"tokenizers/{name}");
        string[] texts = new StringGenerator(seed: 7, specialTokens, isAllowed).Take(Strings);
        JsonElement answer = NodeOracle.Ask("tokenize.mjs", new { tokenizer = file, texts });
        int bad = 0;
        for (int i = 0; i < texts.Length; i++)
        {
            int[] expected = [.. answer.GetProperty("encoded")[i].EnumerateArray().Select(id => id.GetInt32())];
            int[] actual = tokenizer.Encode(texts[i], addSpecialTokens: true, parseSpecialTokens: true);
            if (!expected.SequenceEqual(actual) && bad++ < 12) Console.WriteLine($"{name} {JsonSerializer.Serialize(texts[i])}\n  npm {string.Join(' ', expected)}\n  our {string.Join(' ', actual)}");
            else if (expected.SequenceEqual(actual) && answer.GetProperty("decoded")[i].GetString() != tokenizer.Decode(actual, false) && bad++ < 12) Console.WriteLine($"decode {name} {JsonSerializer.Serialize(texts[i])} npm {answer.GetProperty("decoded")[i]} our {JsonSerializer.Serialize(tokenizer.Decode(actual, false))}");
        }
        Console.WriteLine($"{name}: {bad} bad of {texts.Length}");
        Assert.Equal(0, bad);
    }
}
