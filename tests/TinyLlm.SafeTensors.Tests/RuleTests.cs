using TinyLlm.SafeTensors.Tests.Rules;

namespace TinyLlm.SafeTensors.Tests;

/// <summary>
/// Every rule of <see cref="AllRules"/> gives its own error and a message that helps; files have theirs in <see cref="SafeTensorsFileTests"/>.
/// </summary>
public sealed class RuleTests
{
    // Longest message: two pieces of foreign text, each escaped and cut, and our own words.
    private const int MaxMessageCharacters = 1_000;

    // These need a file, and are shown where the files are.
    private static readonly SafeTensorsError[] s_ofFiles =
    [
        SafeTensorsError.FileMissing, SafeTensorsError.NotAFile, SafeTensorsError.FileUnreadable,
        SafeTensorsError.TensorNotInFile, SafeTensorsError.TensorTooLargeForSpan,
    ];

    public static TheoryData<string> Names => [.. AllRules.All.Select(rule => rule.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Rule_Broken_GivesItsErrorWithNameValueAndBound(string name)
    {
        Rule rule = AllRules.All.Single(rule => rule.Name == name);

        SafeTensorsException refused = Assert.Throws<SafeTensorsException>(rule.Break);

        Assert.Equal(rule.Error, refused.Error);
        Assert.All(rule.MessageParts, part => Assert.Contains(part, refused.Message, StringComparison.Ordinal));
        Assert.DoesNotContain(refused.Message, char.IsControl);
        Assert.InRange(refused.Message.Length, 20, MaxMessageCharacters);
        bool aboutATensor = refused.Message.StartsWith($"tensor '{refused.Tensor}': ", StringComparison.Ordinal);
        Assert.True(aboutATensor == refused.Tensor is not null, refused.Message);
        Assert.Null(refused.FileName);
    }

    [Fact]
    public void Rules_Together_CoverEveryErrorMember()
    {
        IEnumerable<SafeTensorsError> covered = AllRules.All.Select(rule => rule.Error).Concat(s_ofFiles).Distinct();

        Assert.Equal(Enum.GetValues<SafeTensorsError>(), covered.Order());
    }

    [Fact]
    public void Message_NameWithTerminalEscapesAndBidiControls_IsPrintable()
    {
        byte[] header = """{"\u001b[31m\u202e\r\n😀":1}"""u8.ToArray();

        SafeTensorsException refused = Assert.Throws<SafeTensorsException>(() => SafeTensorsHeader.Parse(header, 8 + header.Length));

        Assert.Equal(@"\u{1b}[31m\u{202e}\u{d}\u{a}😀", refused.Tensor);
        Assert.Contains($"'{refused.Tensor}'", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Message_NameOfAMebibyte_IsCut()
    {
        byte[] header = System.Text.Encoding.ASCII.GetBytes($$"""{"{{new string('x', 1 << 20)}}":1}""");

        SafeTensorsException refused = Assert.Throws<SafeTensorsException>(() => SafeTensorsHeader.Parse(header, 8 + header.Length));

        Assert.Equal(new string('x', 120) + "…", refused.Tensor);
        Assert.InRange(refused.Message.Length, 120, 400);
    }

    [Fact]
    public void InFile_Path_KeepsOnlyTheBareName()
    {
        SafeTensorsException refused = Assert.Throws<SafeTensorsException>(() => SafeTensorsHeader.Parse("[]"u8, 10));

        SafeTensorsException named = refused.InFile("/some/where/model.safetensors");

        Assert.Equal("model.safetensors", named.FileName);
        Assert.Equal((refused.Error, refused.Message, refused.Tensor), (named.Error, named.Message, named.Tensor));
    }
}
