using System.Reflection;
using TinyLlm.Tests;

namespace TinyLlm.EndToEnd.Tests.Documents;

/// <summary>What the documents tell to type is run by a test, or is Azure's.</summary>
public sealed class CommandTests
{
    [Fact]
    public void Commands_OfTheDocuments_EachHasATest()
    {
        Assert.InRange(DocumentedCommands.All.Count, 25, int.MaxValue);
        foreach (DocumentedCommand command in DocumentedCommands.All)
        {
            // The tools of a subscription. Blocks of theirs are marked `sh azure`; DocumentTests sees to it that nothing else hides in one.
            if (command.IsMention && command.Text.Split(' ')[0] is "azd" or "az" or "kubectl") continue;
            if (command.Text is "./test.sh" or "dotnet pack") continue; // as below
            Type? test = DocumentedCommands.TestOf(command);
            Assert.True(test is not null, $"{command}: no test runs it: have one take it from DocumentedCommands, or mark its block 'sh azure'");
            Assert.Contains(test.GetMethods(), method => method.GetCustomAttribute<FactAttribute>() is not null);
        }
    }

    /// <summary>What runs every test can't be run by one: it is the one command of the build's workflow. The CLI is packed, and installed, by a test of its own project.</summary>
    [Fact]
    public async Task CommandsThatRunElsewhere_AreRunThere()
    {
        Assert.Contains("      - run: ./test.sh\n", await ReadAsync(".github/workflows/build.yml"), StringComparison.Ordinal);
        Assert.Contains("DotnetAsync(\"pack\", ", await ReadAsync("tests/TinyLlm.Cli.Tests/PackedToolTests.cs"), StringComparison.Ordinal);
    }

    private static Task<string> ReadAsync(string path) => File.ReadAllTextAsync(Path.Combine(TestData.RepositoryRoot, path), TestContext.Current.CancellationToken);
}
