using System.Text.RegularExpressions;
using TinyLlm.Tests;

namespace TinyLlm.Infra.Tests.Documents;

/// <summary>What the documents tell to type is run by a test or says that it needs Azure, and what they link to is there.</summary>
public sealed partial class DocumentTests
{
    /// <summary>Commands that are run otherwise than word by word: the start of the command, the file that runs it, and how it is written there.</summary>
    private static readonly (string Command, string Test, string Mark)[] s_tested =
    [
        ("dotnet run -c Release --project src/TinyLlm.Host -- --check-config ", "TinyLlm.Host.Tests/Documents/OptionsDocumentTests.cs", "--check-config"),
    ];

    /// <summary>Commands that start everything: CI's own entry, which runs this test, and a script whose parts ClusterTests starts one by one.</summary>
    private static readonly string[] s_whole = ["./test.sh", "./run-cluster.sh --api 2 --core 1 --gpu 2"];

    private static readonly Lazy<string> s_tests = new(() => Sources("tests/TinyLlm.Cli.Tests") + Sources("tests/TinyLlm.EndToEnd.Tests"));

    public static TheoryData<string> Documents => ["README.md", "SECURITY.md", "docs/API.md", "docs/ARCHITECTURE.md", "docs/OPERATIONS.md"];

    [Theory]
    [InlineData("README.md")]
    [InlineData("docs/OPERATIONS.md")]
    public async Task Commands_OfTheDocument_AreRunByATestOrNeedAzure(string document)
    {
        string text = await ReadAsync(document);
        Match[] blocks = BlockPattern().Matches(text).ToArray();
        Assert.NotEmpty(blocks);
        foreach (Match block in blocks.Skip(document == "README.md" ? 1 : 0)) // the README's first block is the quick start
        {
            if (block.Groups[1].Value == " azure") continue;
            foreach (string line in block.Groups[2].Value.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                if (s_whole.Contains(line)) continue;
                // A benchmark is run by hand, and its results are committed.
                if (line.StartsWith("dotnet run -c Release --project bench/TinyLlm.Bench", StringComparison.Ordinal)) continue;
                if (CliPattern().Match(line) is { Success: true } cli)
                {
                    string words = $"\"{cli.Groups[1].Value}\"" + (cli.Groups[2].Success ? $", \"{cli.Groups[2].Value}\"" : "");
                    Assert.True(s_tests.Value.Contains(words, StringComparison.Ordinal), $"{document}: no test runs {words}");
                    continue;
                }
                if (TestPattern().Match(line) is { Success: true } longRun) // runs tests that every run has, for longer
                {
                    string sources = Sources(longRun.Groups[2].Value);
                    Assert.Contains(longRun.Groups[1].Value, sources, StringComparison.Ordinal);
                    Assert.Contains(longRun.Groups[3].Value, sources, StringComparison.Ordinal);
                    continue;
                }
                (string _, string test, string mark) = s_tested.FirstOrDefault(tested => line.StartsWith(tested.Command, StringComparison.Ordinal));
                Assert.True(test is not null, $"{document}: no test runs '{line}': add one and name it here, or mark the block 'sh azure'");
                Assert.Contains(mark, await ReadAsync($"tests/{test}"), StringComparison.Ordinal);
            }
        }
    }

    /// <summary>A block is marked for Azure only if it talks to it: nothing else gets away untested.</summary>
    [Fact]
    public async Task AzureBlocks_EachLine_NeedsASubscription()
    {
        string[] lines = [.. BlockPattern().Matches(await ReadAsync("docs/OPERATIONS.md")).Where(block => block.Groups[1].Value == " azure")
            .SelectMany(block => block.Groups[2].Value.Split('\n', StringSplitOptions.RemoveEmptyEntries))];

        Assert.InRange(lines.Length, 8, 40);
        Assert.All(lines, line => Assert.Matches("^azd |^kubectl |\\baz (keyvault|acr) |\\$TINYLLM_HOST_NAME|ContainerRegistry=", line));
    }

    [Theory]
    [MemberData(nameof(Documents))]
    public async Task Links_OfTheDocument_LeadSomewhere(string document)
    {
        string text = await ReadAsync(document);
        string folder = Path.GetDirectoryName(Path.Combine(TestData.RepositoryRoot, document))!;
        foreach (Match link in LinkPattern().Matches(text))
        {
            string target = link.Groups[1].Value;
            if (target.StartsWith("https://", StringComparison.Ordinal)) continue;
            string[] parts = target.Split('#');
            string path = parts[0].Length == 0 ? Path.Combine(TestData.RepositoryRoot, document) : Path.GetFullPath(Path.Combine(folder, parts[0]));
            Assert.True(Path.Exists(path), $"{document} links to '{target}', which is not there");
            if (parts.Length == 2 && path.EndsWith(".md", StringComparison.Ordinal))
                Assert.Contains(parts[1], HeadingPattern().Matches(await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken)).Select(heading => Anchor(heading.Groups[1].Value)));
        }
    }

    /// <summary>As GitHub makes anchors of headings.</summary>
    private static string Anchor(string heading) => NoAnchorPattern().Replace(heading.Trim().ToLowerInvariant(), "").Replace(' ', '-');

    /// <summary>All C# of a project.</summary>
    private static string Sources(string project) => string.Concat(
        Directory.EnumerateFiles(Path.Combine(TestData.RepositoryRoot, project), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal)).Select(File.ReadAllText));

    private static Task<string> ReadAsync(string path) => File.ReadAllTextAsync(Path.Combine(TestData.RepositoryRoot, path), TestContext.Current.CancellationToken);

    [GeneratedRegex("^(TINYLLM_\\w+)=\\S+ dotnet test --project (tests/[\\w.]+) .*--filter-(?:class|method) \"\\*(\\w+)\\*?\"")]
    private static partial Regex TestPattern();

    /// <summary>A command of the CLI: its name, and that of a command below it ("token add"), as commands that have others below them go.</summary>
    [GeneratedRegex(@"^tinyllm (?:(token|trust|user|audit) (\w+)|(?<1>\w+))")]
    private static partial Regex CliPattern();

    [GeneratedRegex(@"^```sh( azure)?\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex BlockPattern();

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex LinkPattern();

    [GeneratedRegex(@"^#+ (.+)$", RegexOptions.Multiline)]
    private static partial Regex HeadingPattern();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NoAnchorPattern();
}
