using System.Text;
using System.Text.Json;
using TinyLlm.Tests;
using TinyLlm.Text.Normalization;
using TinyLlm.Text.Unicode;

namespace TinyLlm.Text.Tests.Normalization;

/// <summary>T5's character map, by itself: npm approximates it by NFKC and some rules, so it can't be the judge here.</summary>
public sealed class CharacterMapTests
{
    [Theory]
    [InlineData("\uFB01x", "fix")]
    [InlineData("\uFF21\u3000b", "A b")]
    [InlineData("a\tb\nc", "a b c")]
    [InlineData("e\u0301", "\u00E9")]
    [InlineData("\u2460\u00BD", "11\u20442")]
    [InlineData("\uFF4B\u0301", "\u1E31")] // the longest key, where the tokenizers library takes the shortest and loses the mark
    [InlineData("\uFF5E", "\uFF5E")] // NFKC would make it an ASCII tilde
    [InlineData("plain \U0001F600", "plain \U0001F600")]
    public void Normalize_T5_MapsAsSentencePiece(string text, string expected) => Assert.Equal(expected, T5().Normalize(text));

    [Fact]
    public void Normalize_EveryCodePoint_IsNfkcButForItsOwnRules()
    {
        CharacterMap map = T5();
        List<int> others = [];
        for (int point = 0; point < 0x110000; point++)
        {
            if (!Rune.IsValid(point)) continue;
            string text = new Rune(point).ToString();
            if (map.Normalize(text) != UnicodeForm.Apply(text, NormalizationForm.FormKC)) others.Add(point);
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"{others.Count}: {string.Join(' ', others.Select(point => point.ToString("X", System.Globalization.CultureInfo.InvariantCulture)))}");

        // Controls and odd spaces are dropped or made plain, as SentencePiece's nmt_nfkc rule says; no letter of a living script is among the differences.
        Assert.Contains(0x09, others);
        Assert.Contains(0x200B, others);
        Assert.DoesNotContain('a', others.Select(point => (char)point));
        Assert.InRange(others.Count, 1, 400);
    }

    [Fact]
    public void Constructor_AnyFlippedByte_StaysInBounds()
    {
        byte[] bytes = Map();
        Random random = new(3);
        for (int i = 0; i < 300; i++)
        {
            byte[] flipped = [.. bytes];
            for (int n = 0; n < 200; n++) flipped[random.Next(4, flipped.Length - 1)] ^= (byte)(1 << random.Next(8));
            try
            {
                Assert.NotNull(new CharacterMap(flipped).Normalize("\uFB01 abc \u00E9\u0301 \uFF21 \U0001F600 \u3000 ½ e\u0301"));
            }
            catch (TokenizerFormatException e)
            {
                Assert.NotEmpty(e.Message);
            }
        }
    }

    private static CharacterMap T5() => new(Map());

    private static byte[] Map()
    {
        JsonElement file = JsonSerializer.Deserialize<JsonElement>(File.ReadAllBytes(TestData.Require("tokenizers/t5-small/tokenizer.json")));
        return Convert.FromBase64String(file.GetProperty("normalizer").GetProperty("precompiled_charsmap").GetString()!);
    }
}
