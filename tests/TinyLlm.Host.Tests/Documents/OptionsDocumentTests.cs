using System.Text.RegularExpressions;
using TinyLlm.Host.Configuration;
using TinyLlm.Tests;

namespace TinyLlm.Host.Tests.Documents;

/// <summary>The table of options in docs/OPERATIONS.md is the options' own.</summary>
public sealed partial class OptionsDocumentTests
{
    [Fact]
    public async Task Operations_TableOfOptions_IsThatOfTheClasses()
    {
        string text = await File.ReadAllTextAsync(Path.Combine(TestData.RepositoryRoot, "docs", "OPERATIONS.md"), TestContext.Current.CancellationToken);

        string[] documented = [.. RowPattern().Matches(text).Select(row => $"{row.Groups[1].Value} = {row.Groups[2].Value}")];

        Assert.Equal(OptionTable.All.Select(option => $"{option.Key} = {option.Default}"), documented);
        Assert.All(RowPattern().Matches(text), row => Assert.InRange(row.Groups[3].Value.Trim().Length, 8, 400));
    }

    [GeneratedRegex(@"^\| `(TinyLlm:[\w:]+)` \| (?:`([^`]*)`)? *\| (.+) \|$", RegexOptions.Multiline)]
    private static partial Regex RowPattern();
}
