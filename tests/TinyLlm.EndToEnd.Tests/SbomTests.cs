using System.Text.Json.Nodes;
using TinyLlm.EndToEnd.Tests.Harness;
using TinyLlm.Tests;

namespace TinyLlm.EndToEnd.Tests;

/// <summary>The bills of materials: one command, every package of each program with version and licence, and nothing of the machine that wrote them.</summary>
public sealed class SbomTests
{
    private const string PackagePrefix = "pkg:nuget/";

    [Fact]
    public async Task Sbom_OfBothPrograms_NamesEveryPackageWithVersionAndLicence()
    {
        using TemporaryFolder folder = new();
        ToolRun run = await ToolRun.RunAsync("bash", [Path.Combine(TestData.RepositoryRoot, "sbom.sh"), folder.Path], []);
        Assert.True(run.ExitCode == 0, run.Out + run.Error);
        foreach (string program in (string[])["TinyLlm.Host", "TinyLlm.Cli"])
        {
            string text = await File.ReadAllTextAsync(folder.Combine($"{program}.cdx.json"), TestContext.Current.CancellationToken);
            foreach (string trace in (string[])[TestData.RepositoryRoot, folder.Path, Environment.GetFolderPath(Environment.SpecialFolder.UserProfile) + "/", Environment.MachineName])
                Assert.DoesNotContain(trace, text, StringComparison.Ordinal);
            JsonNode bill = JsonNode.Parse(text)!;
            Assert.Equal(("CycloneDX", program), ((string?)bill["bomFormat"], (string?)bill["metadata"]!["component"]!["name"]));
            Assert.NotEqual("0.0.0", (string?)bill["metadata"]!["component"]!["version"]);

            JsonArray components = bill["components"]!.AsArray();
            Assert.All(components, component => Assert.Matches("^[0-9]", (string?)component!["version"]));
            Assert.All(components, component => Assert.True(component!["licenses"] is JsonArray { Count: > 0 } || BringsItsLicence(component), component.ToJsonString()));
            string[] packages = [.. components.Select(component => (string?)component!["purl"]).OfType<string>().Where(purl => purl.StartsWith(PackagePrefix, StringComparison.Ordinal))];
            Assert.Equal(Restored(program).Order(StringComparer.Ordinal), packages.Select(purl => Uri.UnescapeDataString(purl[PackagePrefix.Length..])).Order(StringComparer.Ordinal));
            Assert.Contains(packages, package => package.Contains(program == "TinyLlm.Host" ? "/TorchSharp@" : "/Spectre.Console@", StringComparison.Ordinal));
            Assert.DoesNotContain(packages, package => package.Contains("/xunit", StringComparison.OrdinalIgnoreCase));
        }
    }

    /// <summary>A few packages bring their licence as a file, which has no name to be listed by.</summary>
    private static bool BringsItsLicence(JsonNode component)
    {
        string packages = Environment.GetEnvironmentVariable("NUGET_PACKAGES") ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        string id = ((string)component["name"]!).ToLowerInvariant(), version = (string)component["version"]!;
        return File.ReadAllText(Path.Combine(packages, id, version, $"{id}.nuspec")).Contains("<license type=\"file\">", StringComparison.Ordinal);
    }

    /// <summary>"id@version" of every package that the restore chose for a program, or for a project of ours that it is made of.</summary>
    private static HashSet<string> Restored(string program)
    {
        JsonObject libraries = Libraries(program);
        IEnumerable<string> projects = libraries.Where(library => (string?)library.Value!["type"] == "project").Select(library => library.Key.Split('/')[0]).Append(program);
        return [.. projects.SelectMany(Libraries).Where(library => (string?)library.Value!["type"] == "package").Select(library => library.Key.Replace('/', '@'))];
    }

    private static JsonObject Libraries(string project) =>
        JsonNode.Parse(File.ReadAllText(Path.Combine(TestData.RepositoryRoot, "src", project, "obj", "project.assets.json")))!["libraries"]!.AsObject();
}
