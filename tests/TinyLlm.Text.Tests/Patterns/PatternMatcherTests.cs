using CsCheck;
using TinyLlm.Text.Patterns;

namespace TinyLlm.Text.Tests.Patterns;

public sealed class PatternMatcherTests
{
    private static readonly string[] Parts =
    [
        "a", "B", "é", "\U00010400", "\U0001D7D8", "7", "42", " ", "  ", "\n", "\r\n", "\t", "\u00A0", "'", "'s", "'LL", "'re", "\u017F", "!", "...", "\U0001F600", "中", "e\u0301", "\u0085", "\uFEFF", "\u2028", "x_y",
    ];

    private static readonly Gen<string> Texts = Gen.Int[0, Parts.Length - 1].Array[0, 14].Select(picks => string.Concat(picks.Select(pick => Parts[pick])));

    [Fact]
    public void GptTwoMatcher_AnyText_EqualsItsPattern() => CompareOnAnyText(new GptTwoMatcher(isScript: false), GptTwoMatcher.Pattern);

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void ChatGptMatcher_AnyText_EqualsItsPattern(int digits) => CompareOnAnyText(new ChatGptMatcher(digits), ChatGptMatcher.PatternFor(digits));

    [Theory]
    [InlineData("a|ab", "ab", "a")] // the first alternative, not the longest
    [InlineData("(?:a|ab)c", "abc", "abc")]
    [InlineData("a{2,3}", "aaaa", "aaa")]
    [InlineData("a+?b?", "aab", "a|ab")]
    [InlineData("(?>a+)a|b", "aab", "b")]
    [InlineData("a++b", "aab", "aab")]
    [InlineData(@"\s+(?!\S)", "a  b ", " | ")]
    [InlineData("(?<=a)b", "abb", "b")]
    [InlineData("(?<!a)b", "abb", "b")]
    [InlineData(@"\p{L}+", "aé\U00010400!", "aé\U00010400")]
    [InlineData(@"[^\s\p{L}]", " \U0001F600a", "\U0001F600")]
    [InlineData(@"[a-z&&[^aeiou]]+", "abcde", "bcd")]
    [InlineData(@"(?i)hello", "HeLLo", "HeLLo")]
    [InlineData(@"\p{^L}", "a1", "1")]
    [InlineData(@"[\x{41}-\u0043]+", "ABCD", "ABC")]
    [InlineData("(a*)*b", "aab", "aab")]
    [InlineData("(?:a?)+c", "aac", "aac")]
    [InlineData(@"\Aa|a\z", "aaa", "a|a")]
    [InlineData("\\w+", "a_b9 c\u0301", "a_b9|c\u0301")]
    [InlineData(@"\p{Han}+", "漢字かな", "漢字")]
    public void FindAll_Pattern_FindsWhatOnigurumaFinds(string pattern, string text, string expected) =>
        Assert.Equal(expected, string.Join('|', FindAll(new PatternMatcher(pattern), text)));

    [Theory]
    [InlineData("(a")]
    [InlineData("a)")]
    [InlineData("[a")]
    [InlineData("[]a]")]
    [InlineData("a{2")]
    [InlineData("a{3,2}")]
    [InlineData("a{1000}")]
    [InlineData("*a")]
    [InlineData(@"(a)\1")]
    [InlineData(@"\p{Klingon}")]
    [InlineData(@"\b")]
    [InlineData("^a")]
    [InlineData("(?<name>a)")]
    [InlineData("(?<=ab)c")]
    [InlineData("[[:alpha:]]")]
    [InlineData("a(?i)b")]
    [InlineData("a\\")]
    public void Constructor_PatternItCantRunExactly_IsRefused(string pattern) =>
        Assert.Equal(TokenizerFormatError.UnsupportedPattern, Assert.Throws<TokenizerFormatException>(() => new PatternMatcher(pattern)).Error);

    [Fact]
    public void Constructor_DeepOrHugePattern_IsRefused()
    {
        Assert.Throws<TokenizerFormatException>(() => new PatternMatcher(new string('(', 2_000) + new string(')', 2_000)));
        Assert.Throws<TokenizerFormatException>(() => new PatternMatcher("((((a?b){200}){200}){200}){200}"));
    }

    [Theory]
    [InlineData("(a+)+b")]
    [InlineData("(a|a)*b")]
    [InlineData("(?:a*)*(?:a*)*b")]
    public void FindAll_CatastrophicPattern_StopsByItsSteps(string pattern)
    {
        PatternMatcher matcher = new(pattern);

        TokenizerFormatException e = Assert.Throws<TokenizerFormatException>(() => FindAll(matcher, new string('a', 10_000)));
        Assert.Equal(TokenizerFormatError.PatternTooSlow, e.Error);
    }

    private static void CompareOnAnyText(PieceMatcher byHand, string pattern)
    {
        PatternMatcher general = new(pattern);
        Texts.Sample(text => Assert.Equal(FindAll(general, text), FindAll(byHand, text)), iter: 10_000);
    }

    private static List<string> FindAll(PieceMatcher matcher, string text)
    {
        List<(int Start, int End)> matches = [];
        matcher.FindAll(text, matches);
        return [.. matches.Select(match => text[match.Start..match.End])];
    }
}
