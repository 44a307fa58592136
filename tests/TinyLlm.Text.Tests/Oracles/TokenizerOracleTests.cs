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
    [InlineData("t5-small", "</s>", "<pad>", "<extra_id_7>")]
    [InlineData("gpt2", "<|endoftext|>")]
    [InlineData("qwen3", "<|im_start|>", "<|im_end|>", "<think>", "</tool_call>")]
    [InlineData("phi-3-mini", "<s>", "</s>", "<|user|>", "<|end|>")]
    public void Encode_GeneratedStrings_EqualNpm(string name, params string[] specialTokens)
    {
        string file = TestData.Require($"tokenizers/{name}/tokenizer.json");
        Tokenizer tokenizer = ReferenceTokenizers.Load($"tokenizers/{name}");
        string[] texts = new StringGenerator(seed: 7, specialTokens).Take(Strings);
        JsonElement answer = NodeOracle.Ask("tokenize.mjs", new { tokenizer = file, texts });

        for (int i = 0; i < texts.Length; i++)
        {
            int[] expected = [.. answer.GetProperty("encoded")[i].EnumerateArray().Select(id => id.GetInt32())];
            int[] actual = tokenizer.Encode(texts[i], addSpecialTokens: true, parseSpecialTokens: true);
            Assert.True(expected.SequenceEqual(actual),
                $"{JsonSerializer.Serialize(texts[i])}\nnpm:  {string.Join(' ', expected)}\nours: {string.Join(' ', actual)}");
            Assert.Equal(answer.GetProperty("decoded")[i].GetString(), tokenizer.Decode(actual, skipSpecialTokens: false));
        }
    }
}
