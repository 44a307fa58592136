using System.Text.RegularExpressions;
using TinyLlm.Host.Configuration;
using TinyLlm.Host.Hosting;
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

    /// <summary>The command that the document tells to type, with what it is given there.</summary>
    [Fact]
    public async Task Operations_CheckOfTheConfiguration_Succeeds()
    {
        string text = await File.ReadAllTextAsync(Path.Combine(TestData.RepositoryRoot, "docs", "OPERATIONS.md"), TestContext.Current.CancellationToken);
        string[] arguments = CheckPattern().Match(text).Groups[1].Value.Split(' ');
        Assert.Contains("--check-config", arguments);
        using StringWriter output = new(), error = new();

        Assert.Equal(0, ConfigurationCheck.Run(HostArguments.Parse(arguments), output, error));

        Assert.Equal("", error.ToString());
        Assert.Contains($"{arguments[^2][2..]} = {arguments[^1]}  [command line]", output.ToString(), StringComparison.Ordinal);
    }

    [GeneratedRegex(@"^dotnet run -c Release --project src/TinyLlm.Host -- (--check-config .*)$", RegexOptions.Multiline)]
    private static partial Regex CheckPattern();

    [GeneratedRegex(@"^\| `(TinyLlm:[\w:]+)` \| (?:`([^`]*)`)? *\| (.+) \|$", RegexOptions.Multiline)]
    private static partial Regex RowPattern();
}
