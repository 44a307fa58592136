using System.Text.RegularExpressions;
using TinyLlm.Tests;

namespace TinyLlm.Infra.Tests.Documents;

/// <summary>What the documents link to is there, and what they mark for Azure is Azure's; the end-to-end tests run all other commands.</summary>
public sealed partial class DocumentTests
{
    public static TheoryData<string> Documents => ["README.md", "SECURITY.md", "docs/API.md", "docs/ARCHITECTURE.md", "docs/CLI.md", "docs/OPERATIONS.md"];

    /// <summary>A block is marked for Azure only if it talks to it: nothing else gets away untested.</summary>
    [Fact]
    public async Task AzureBlocks_EachLine_NeedsASubscription()
    {
        string[] lines = [.. BlockPattern().Matches(await ReadAsync("docs/OPERATIONS.md")).Where(block => block.Groups[1].Value == " azure")
            .SelectMany(block => block.Groups[2].Value.Split('\n', StringSplitOptions.RemoveEmptyEntries))];

        Assert.InRange(lines.Length, 8, 40);
        Assert.All(lines, line => Assert.Matches("^azd |\\$\\(azd env |\\$TINYLLM_CORE_VAULT_URI|^kubectl |\\baz (keyvault|acr) |\\$TINYLLM_HOST_NAME|ContainerRegistry=|^export DOTNET_CONTAINER_REGISTRY_", line));
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

    private static Task<string> ReadAsync(string path) => File.ReadAllTextAsync(Path.Combine(TestData.RepositoryRoot, path), TestContext.Current.CancellationToken);

    [GeneratedRegex(@"^```sh( azure)?\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex BlockPattern();

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex LinkPattern();

    [GeneratedRegex(@"^#+ (.+)$", RegexOptions.Multiline)]
    private static partial Regex HeadingPattern();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NoAnchorPattern();
}
