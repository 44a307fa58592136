using System.Text.RegularExpressions;
using TinyLlm.Tests;
using YamlDotNet.RepresentationModel;

namespace TinyLlm.Infra.Tests.Documents;

/// <summary>The workflows of GitHub Actions: they parse, take no action by a name that can move, and no right that they do not need.</summary>
public sealed partial class WorkflowTests
{
    public static TheoryData<string> Workflows =>
        [.. Directory.EnumerateFiles(Path.Combine(TestData.RepositoryRoot, ".github", "workflows")).Select(Path.GetFileName).OfType<string>().Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Workflows))]
    public async Task Workflow_EachOfThem_PinsItsActionsAndItsRights(string file)
    {
        string text = await File.ReadAllTextAsync(Path.Combine(TestData.RepositoryRoot, ".github", "workflows", file), TestContext.Current.CancellationToken);
        YamlMappingNode workflow = Parse(text);

        Assert.Equal("read", ((YamlScalarNode)((YamlMappingNode)workflow["permissions"])["contents"]).Value);
        Assert.All(((YamlMappingNode)workflow["jobs"]).Children.Values.Cast<YamlMappingNode>(), job => Assert.Contains("timeout-minutes", job.Children.Keys.Select(key => ((YamlScalarNode)key).Value)));
        Match[] uses = UsesPattern().Matches(text).ToArray();
        Assert.NotEmpty(uses);
        Assert.All(uses, use => Assert.Matches("^[0-9a-f]{40} # v[0-9]+\\.[0-9]+\\.[0-9]+$", use.Groups[1].Value));
        // What a workflow runs of ours is there.
        Assert.All(PathPattern().Matches(text), match => Assert.True(Path.Exists(Path.Combine(TestData.RepositoryRoot, match.Value)), $"{match.Value} is not there"));
    }

    [Fact]
    public async Task Dependabot_EveryEcosystem_IsWatched()
    {
        YamlMappingNode dependabot = Parse(await File.ReadAllTextAsync(Path.Combine(TestData.RepositoryRoot, ".github", "dependabot.yml"), TestContext.Current.CancellationToken));

        YamlMappingNode[] updates = [.. ((YamlSequenceNode)dependabot["updates"]).Cast<YamlMappingNode>()];
        Assert.Equal(["docker", "github-actions", "npm", "nuget"], updates.Select(update => ((YamlScalarNode)update["package-ecosystem"]).Value).Order(StringComparer.Ordinal));
        Assert.All(updates, update => Assert.True(Directory.Exists(TestData.RepositoryRoot + ((YamlScalarNode)update["directory"]).Value)));
    }

    private static YamlMappingNode Parse(string text)
    {
        YamlStream stream = [];
        stream.Load(new StringReader(text));
        return (YamlMappingNode)Assert.Single(stream.Documents).RootNode;
    }

    [GeneratedRegex(@"uses: [^@\s]+@(.+)$", RegexOptions.Multiline)]
    private static partial Regex UsesPattern();

    [GeneratedRegex(@"(?<=[ /])(?:src|tests)/[\w./]+|(?<= )global\.json|(?<=\./)test\.sh")]
    private static partial Regex PathPattern();
}
