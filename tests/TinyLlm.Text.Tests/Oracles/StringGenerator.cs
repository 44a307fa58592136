using System.Globalization;
using System.Text;

namespace TinyLlm.Text.Tests.Oracles;

/// <summary>Seeded strings that are hard on tokenizers: mixed scripts, emoji, controls, runs of spaces, numbers, contractions, special tokens inside text.</summary>
internal sealed class StringGenerator(int seed, IReadOnlyList<string> specialTokens)
{
    private static readonly (int First, int Last)[] Scripts =
    [
        (0x20, 0x7E), (0xA1, 0x17F), (0x370, 0x3FF), (0x400, 0x4FF), (0x5D0, 0x5EA), (0x620, 0x6FF), (0x900, 0x97F), (0xE01, 0xE5B), (0x1780, 0x17E9),
        (0x3041, 0x30FF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3), (0x1D400, 0x1D7FF), (0x10400, 0x1044F), (0x20000, 0x2A6DF), (0x2000, 0x206F), (0x20A0, 0x2BFF),
    ];

    private static readonly string[] Words =
    [
        "hello", "World", "I'm", "you'll", "we've", "it's", "IT'S", "'re", "don't", "naïve", "Straße", "e\u0301", "a\u0308", "3.14", "1,000,000", "2024", "0x1F",
        "foo_bar", "camelCase", "http://example.com/?q=1&r=2", "\r\n", "\n\n", "\t", "...", "!?", "--", "\"quoted\"", "(a)", "\u2581", "\u00A0", "\u3000", "\u0085", "\uFEFF", "\u200B", "\u0000", "\u007F", " \u0085", "  \uFEFF",
    ];

    private static readonly string[] Emoji =
        ["\U0001F600", "\U0001F468\u200D\U0001F469\u200D\U0001F467", "\U0001F1EB\U0001F1F7", "\U0001F44D\U0001F3FD", "\u2764\uFE0F", "\U0001F999", "\u2705"];

    private readonly Random random = new(seed);

    public string[] Take(int count) => [.. Enumerable.Range(0, count).Select(_ => Next())];

    private string Next()
    {
        StringBuilder text = new();
        int parts = random.Next(1, 12);
        for (int i = 0; i < parts; i++)
        {
            text.Append(random.Next(10) switch
            {
                0 or 1 => Script(),
                2 or 3 => Pick(Words),
                4 => Pick(Emoji),
                5 => ((char)(random.Next(4) == 0 ? random.Next(0x7F, 0xA0) : random.Next(0x20))).ToString(),
                6 => new string(' ', random.Next(1, 30)),
                7 => specialTokens.Count == 0 ? " " : Pick(specialTokens),
                8 => random.Next(100_000).ToString(CultureInfo.InvariantCulture),
                _ => " " + Pick(Words),
            });
        }
        return text.ToString();
    }

    private string Script()
    {
        (int first, int last) = Scripts[random.Next(Scripts.Length)];
        StringBuilder text = new();
        int length = random.Next(1, 10);
        while (text.Length < length)
        {
            Rune rune = new(random.Next(first, last + 1));
            if (Rune.GetUnicodeCategory(rune) != UnicodeCategory.OtherNotAssigned) text.Append(rune);
        }
        return text.ToString();
    }

    private string Pick(IReadOnlyList<string> choices) => choices[random.Next(choices.Count)];
}
