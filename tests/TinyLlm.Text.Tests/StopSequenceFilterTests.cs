using System.Text;
using CsCheck;

namespace TinyLlm.Text.Tests;

public sealed class StopSequenceFilterTests
{
    private static readonly Gen<string> FewLetters = Gen.Char["ab\n"].Array[1, 4].Select(chars => new string(chars));

    [Fact]
    public void Append_AnyPieces_EqualsSearchInTheWholeText()
    {
        Gen.Select(FewLetters.Array[0, 3], Gen.Char["ab\n"].Array[0, 5].Select(chars => new string(chars)).Array[0, 8]).Sample((stops, pieces) =>
        {
            string whole = string.Concat(pieces);
            (string expected, bool expectStop) = Search(whole, stops);
            StopSequenceFilter filter = new(stops);
            StringBuilder text = new();
            bool stopped = false;
            foreach (string piece in pieces)
            {
                Assert.False(stopped && !expectStop);
                (string emitted, stopped) = filter.Append(piece);
                text.Append(emitted);
            }
            text.Append(filter.Flush());
            Assert.Equal((expected, expectStop), (text.ToString(), stopped));
        }, iter: 10_000);
    }

    [Fact]
    public void Append_AnyPieces_KeepsBackOnlyWhatMayBeginAStop()
    {
        Gen.Select(FewLetters.Array[1, 3], Gen.Char["ab\n"].Array[0, 12]).Sample((stops, letters) =>
        {
            StopSequenceFilter filter = new(stops);
            string emitted = "";
            for (int n = 1; n <= letters.Length; n++)
            {
                string seen = new(letters, 0, n);
                (string text, bool stopped) = filter.Append(letters[n - 1].ToString());
                emitted += text;
                if (stopped) break;
                string kept = seen[emitted.Length..];
                Assert.True(kept.Length == 0 || stops.Any(stop => stop.StartsWith(kept, StringComparison.Ordinal)), $"'{kept}' was kept back");
            }
        }, iter: 10_000);
    }

    [Fact]
    public void Append_AfterTheStop_NothingMoreComesOut()
    {
        StopSequenceFilter filter = new(["\nUser:"]);

        Assert.Equal(("Hi there", false), filter.Append("Hi there\nUs"));
        Assert.Equal(("", true), filter.Append("er: and"));
        Assert.Equal(("", true), filter.Append("more"));
        Assert.Equal("", filter.Flush());
    }

    [Fact]
    public void Constructor_EmptyStop_Throws() => Assert.Throws<ArgumentException>(() => new StopSequenceFilter(["a", ""]));

    /// <summary>The rule, naively: the occurrence that ends first, of those the longest.</summary>
    private static (string Text, bool Stopped) Search(string whole, string[] stops)
    {
        (int Start, int End)[] found = [.. stops
            .Select(stop => (Start: whole.IndexOf(stop, StringComparison.Ordinal), stop.Length))
            .Where(match => match.Start >= 0)
            .Select(match => (match.Start, match.Start + match.Length))
            .OrderBy(match => match.Item2).ThenBy(match => match.Start)];
        return found.Length == 0 ? (whole, false) : (whole[..found[0].Start], true);
    }
}
