using System.Globalization;
using TinyLlm.Tests;

namespace TinyLlm.Text.Tests;

/// <summary>The hard strings of llama.cpp's vocabulary tests.</summary>
public sealed class ConformanceTests
{
    private const string Separator = "\n__ggml_vocab_test__\n";

    [Theory]
    [InlineData("gpt-2", "tokenizers/gpt2")]
    [InlineData("phi-3", "tokenizers/phi-3-mini")]
    [InlineData("qwen2", "tokenizers/qwen3")]
    public void Encode_ConformanceStrings_EqualIds(string vectors, string tokenizerFolder)
    {
        Tokenizer tokenizer = ReferenceTokenizers.Load(tokenizerFolder);
        string[] texts = File.ReadAllText(TestData.Require($"conformance/{vectors}.inp")).Split(Separator);
        string[] lines = File.ReadAllText(TestData.Require($"conformance/{vectors}.out")).Split('\n');

        // The last separator ends the file, with nothing after it.
        Assert.Equal("", texts[^1]);
        Assert.Equal(46, texts.Length - 1);
        for (int i = 0; i < texts.Length - 1; i++)
        {
            int[] expected = [.. lines[i].Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(id => int.Parse(id, CultureInfo.InvariantCulture))];
            Assert.Equal(expected, tokenizer.Encode(texts[i], addSpecialTokens: false));
        }
    }
}
