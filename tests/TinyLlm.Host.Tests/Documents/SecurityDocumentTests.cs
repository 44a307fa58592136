using System.Text.RegularExpressions;
using TinyLlm.Host.Access;
using TinyLlm.Storage;
using TinyLlm.Tests;

namespace TinyLlm.Host.Tests.Documents;

/// <summary>Every claim of SECURITY.md leads to the test that shows it.</summary>
public sealed partial class SecurityDocumentTests
{
    private static readonly string s_text = File.ReadAllText(Path.Combine(TestData.RepositoryRoot, "SECURITY.md"));

    [Fact]
    public void Links_LeadToFilesThatDeclareWhatTheyName()
    {
        MatchCollection links = LinkPattern().Matches(s_text);
        Assert.True(links.Count > 20, $"only {links.Count} links");
        foreach (Match link in links)
        {
            (string name, string target) = (link.Groups["name"].Value, link.Groups["target"].Value);
            string path = Path.Combine(TestData.RepositoryRoot, target);
            Assert.True(File.Exists(path) || Directory.Exists(path), $"[{name}]({target}): there is no such file");
            if (target.EndsWith(".cs", StringComparison.Ordinal))
                Assert.Matches($@"\b(class|record|struct) {Regex.Escape(name)}\b", File.ReadAllText(path));
        }
    }

    /// <summary>What the document calls a test, in a link or in words, is one.</summary>
    [Fact]
    public void Tests_ThatAreNamed_Exist()
    {
        HashSet<string> files = [.. Directory.EnumerateFiles(Path.Combine(TestData.RepositoryRoot, "tests"), "*.cs", SearchOption.AllDirectories).Select(Path.GetFileNameWithoutExtension).OfType<string>()];
        string[] named = [.. TestNamePattern().Matches(s_text).Select(match => match.Value).Distinct()];
        Assert.True(named.Length > 30, $"only {named.Length} tests");
        Assert.All(named, name => Assert.Contains(name, files));
    }

    [Fact]
    public void Features_EachLinkATest()
    {
        string[] rows = [.. Section("Security features").Split('\n').Where(line => line.StartsWith('|')).Skip(2)];
        Assert.True(rows.Length > 15, $"only {rows.Length} features");
        Assert.All(rows, row => Assert.Contains(LinkPattern().Matches(row), link => link.Groups["target"].Value.StartsWith("tests/", StringComparison.Ordinal)));
    }

    /// <summary>The patterns that secret scanners are told find the tokens that the host makes, and nothing shorter.</summary>
    [Fact]
    public void ScannerPatterns_FindTheHostsTokens()
    {
        string[] patterns = [.. ScannerPattern().Matches(s_text).Select(match => match.Groups[1].Value)];
        string[] tokens = [AccessToken.New(UserId.New()).Reveal(), AdminToken.NewText()];
        Assert.Equal(tokens.Length, patterns.Length);
        foreach ((string pattern, string token) in patterns.Zip(tokens))
        {
            Assert.Equal(token, Regex.Match($"key = \"{token}\";", pattern).Value);
            Assert.DoesNotMatch(pattern, token[..^1]);
        }
    }

    [Fact]
    public void Sections_AreThoseThatReadersLookFor()
    {
        string[] sections = ["Overview", "Supported versions", "Reporting a vulnerability", "Best practices", "Known considerations", "Security features", "Audits"];
        Assert.Equal(sections, HeadingPattern().Matches(s_text).Select(heading => heading.Groups[1].Value.Trim()));
        Assert.All(sections, section => Assert.True(Section(section).Trim().Length > 40, $"'{section}' says nothing"));
        Assert.DoesNotMatch("(?i)planned|coming soon|todo", s_text);
    }

    private static string Section(string heading)
    {
        int start = s_text.IndexOf($"## {heading}\n", StringComparison.Ordinal) + heading.Length + 4;
        int end = s_text.IndexOf("\n## ", start, StringComparison.Ordinal);
        return s_text[start..(end < 0 ? s_text.Length : end)];
    }

    [GeneratedRegex(@"\[(?<name>[^\]]+)\]\((?<target>(?!https?:)[^)]+)\)")]
    private static partial Regex LinkPattern();

    [GeneratedRegex(@"\b[A-Z][A-Za-z0-9]*(Tests|Attacks|Conformance)\b")]
    private static partial Regex TestNamePattern();

    [GeneratedRegex(@"`(\\btlm[^`]+)`")]
    private static partial Regex ScannerPattern();

    [GeneratedRegex(@"^## (.+)$", RegexOptions.Multiline)]
    private static partial Regex HeadingPattern();
}
