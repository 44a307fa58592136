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
        YamlMappingNode[] own = [.. Jobs(workflow).Values.Where(job => !Has(job, "uses"))]; // another workflow's jobs have bounds of their own
        Assert.NotEmpty(own);
        Assert.All(own, job => Assert.True(Has(job, "timeout-minutes")));
        Match[] uses = UsesPattern().Matches(text).ToArray();
        Assert.NotEmpty(uses);
        Assert.All(uses, use => Assert.Matches("^[0-9a-f]{40} # v[0-9]+\\.[0-9]+\\.[0-9]+$", use.Groups[1].Value));
        // What a workflow runs of ours is there.
        Assert.All(PathPattern().Matches(text), match => Assert.True(Path.Exists(Path.Combine(TestData.RepositoryRoot, match.Value)), $"{match.Value} is not there"));
    }

    /// <summary>Once a tag on a commit that no test had seen would have been published.</summary>
    [Fact]
    public async Task Publish_EveryJob_WaitsForTheTests()
    {
        YamlMappingNode publish = Parse(await File.ReadAllTextAsync(Path.Combine(TestData.RepositoryRoot, ".github", "workflows", "publish.yml"), TestContext.Current.CancellationToken));
        YamlMappingNode build = Parse(await File.ReadAllTextAsync(Path.Combine(TestData.RepositoryRoot, ".github", "workflows", "build.yml"), TestContext.Current.CancellationToken));

        Assert.Equal("./.github/workflows/build.yml", ((YamlScalarNode)Jobs(publish)["tests"]["uses"]).Value);
        Assert.True(Has((YamlMappingNode)build["on"], "workflow_call"));
        Assert.All(Jobs(publish).Where(job => job.Key != "tests"), job => Assert.Equal("tests", ((YamlScalarNode)job.Value["needs"]).Value));
    }

    [Fact]
    public async Task Dependabot_EveryEcosystem_IsWatched()
    {
        YamlMappingNode dependabot = Parse(await File.ReadAllTextAsync(Path.Combine(TestData.RepositoryRoot, ".github", "dependabot.yml"), TestContext.Current.CancellationToken));

        YamlMappingNode[] updates = [.. ((YamlSequenceNode)dependabot["updates"]).Cast<YamlMappingNode>()];
        Assert.Equal(["docker", "github-actions", "npm", "nuget"], updates.Select(update => ((YamlScalarNode)update["package-ecosystem"]).Value).Order(StringComparer.Ordinal));
        Assert.All(updates, update => Assert.True(Directory.Exists(TestData.RepositoryRoot + ((YamlScalarNode)update["directory"]).Value)));
    }

    private static Dictionary<string, YamlMappingNode> Jobs(YamlMappingNode workflow) =>
        ((YamlMappingNode)workflow["jobs"]).Children.ToDictionary(job => ((YamlScalarNode)job.Key).Value!, job => (YamlMappingNode)job.Value);

    private static bool Has(YamlMappingNode node, string key) => node.Children.Keys.Any(known => ((YamlScalarNode)known).Value == key);

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
