using TinyLlm.Cli.Terminal;

namespace TinyLlm.Cli.Tests.Terminal;

public sealed class ControlFilterTests
{
    [Theory]
    [InlineData("plain ä 漢 🙂\n\tnext", "plain ä 漢 🙂\n\tnext")]
    [InlineData("\u001b[31mred\u001b[0m", "red")]
    [InlineData("\u001b[2J\u001b[1;1H", "")]
    [InlineData("\u009b31mred", "red")]
    [InlineData("\u001b]0;title\u0007text", "]0;titletext")]
    [InlineData("\u001b]52;c;cm0=\u001b\\", "]52;c;cm0=\\")]
    [InlineData("over\rwritten\b\u0000\u007f", "overwritten")]
    [InlineData("\u001b[12\u001b[31mx", "x")]
    [InlineData("\u001b[1é", "é")]
    [InlineData("abc\u202edef\u2066g", "abcdefg")]
    [InlineData("\u001b", "")]
    public void Clean_TextWithControls_KeepsOnlyHarmlessText(string text, string expected) => Assert.Equal(expected, ControlFilter.Clean(text));

    [Fact]
    public void Clean_EveryControlCharacter_NoneIsLeft()
    {
        string all = string.Concat(Enumerable.Range(0, 0x100).Select(code => (char)code).Where(c => char.IsControl(c) && c is not ('\n' or '\t')));
        Assert.Equal("", string.Concat(all.Select(c => ControlFilter.Clean(c.ToString()))));
    }

    [Fact]
    public void Append_SequenceSplitAtEveryPlace_IsDroppedAllTheSame()
    {
        const string text = "a\u001b[38;5;1mb\u001b[0mc";
        for (int cut = 0; cut <= text.Length; cut++)
        {
            ControlFilter filter = new();
            Assert.Equal("abc", filter.Append(text[..cut]) + filter.Append(text[cut..]));
        }
    }

    [Fact]
    public void Clean_SingleLine_HasNoLineEnd() => Assert.Equal("a b c d", ControlFilter.Clean("a\nb\tc\r\nd", singleLine: true));
}
