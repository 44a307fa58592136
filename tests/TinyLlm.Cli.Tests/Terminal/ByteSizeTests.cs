using TinyLlm.Cli.Terminal;

namespace TinyLlm.Cli.Tests.Terminal;

public sealed class ByteSizeTests
{
    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(999, "999 B")]
    [InlineData(1000, "1.00 kB")]
    [InlineData(12_345, "12.3 kB")]
    [InlineData(999_600, "1.00 MB")]
    [InlineData(1_044_984, "1.04 MB")]
    [InlineData(123_456_789, "123 MB")]
    [InlineData(long.MaxValue, "9223372 TB")]
    public void Text_Bytes_HasThreeDigitsAndUnit(long bytes, string expected) => Assert.Equal(expected, ByteSize.Text(bytes));
}
