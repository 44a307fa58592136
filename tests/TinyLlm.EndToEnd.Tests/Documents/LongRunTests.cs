using System.Text.RegularExpressions;
using TinyLlm.EndToEnd.Tests.Harness;
using TinyLlm.Tests;

namespace TinyLlm.EndToEnd.Tests.Documents;

/// <summary>
/// The commands that run for longer what every run has a slice of: as they stand in the document, but for switches that have the tests listed instead of run for minutes, and
/// nothing built under the tests that run. Each names a test, and a variable that it reads.
/// </summary>
public sealed partial class LongRunTests
{
    private const string NoBuild = " --no-build";

    public static TheoryData<string> Commands => [.. DocumentedCommands.Of(typeof(LongRunTests)).Select(command => command.Text)];

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task Command_WithItsTestsListed_FindsWhatReadsItsVariable(string command)
    {
        string project = ProjectPattern().Match(command).Groups[1].Value;
        string built = Path.Combine(TestData.RepositoryRoot, project, "bin", "Release", "net10.0", $"{Path.GetFileName(project)}.dll");
        Assert.True(File.Exists(built), $"build {project} in Release first, which is what the command runs: there is no '{built}'");
        ToolRun run = await ToolRun.RunAsync(
            "bash", ["-c", $"{command}{(command.Contains(NoBuild, StringComparison.Ordinal) ? "" : NoBuild)} --list-tests"],
            new() { ["MSBUILDDISABLENODEREUSE"] = "1", ["DOTNET_CLI_USE_MSBUILD_SERVER"] = "0" }, TestData.RepositoryRoot);

        Assert.True(run.ExitCode == 0, run.Out + run.Error);
        string[] tests = [.. TestPattern().Matches(run.Out).Select(test => test.Groups[1].Value).Distinct()];
        Assert.True(tests.Length == 1, $"one class of tests is meant: {run.Out}");
        string folder = Path.Combine(TestData.RepositoryRoot, project);
        string source = Directory.EnumerateFiles(folder, $"{tests[0]}.cs", SearchOption.AllDirectories).Single();
        Assert.Contains($"\"{command.Split('=')[0]}\"", await File.ReadAllTextAsync(source, TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [GeneratedRegex(@"TinyLlm\.[\w.]*\.(\w+Tests)\.\w+")]
    private static partial Regex TestPattern();

    [GeneratedRegex(@"--project (\S+)")]
    private static partial Regex ProjectPattern();
}
