using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;
using TinyLlm.Tests;

namespace TinyLlm.Infra.Tests.Packages;

/// <summary>The lock files of NuGet: every project has one, they name what is asked for and no address, and a restore refuses what is not in them.</summary>
public sealed partial class LockFileTests : IDisposable
{
    private const string Project = "tests/TinyLlm.SafeTensors.Tests";

    /// <summary>What a restore of <see cref="Project"/> reads, besides its lock file.</summary>
    private static readonly string[] s_read =
    [
        "Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props", "global.json", "src/TinyLlm.Engine/build/LibTorch.targets",
        "src/TinyLlm.SafeTensors/TinyLlm.SafeTensors.csproj", "src/TinyLlm.SafeTensors/packages.lock.json", "tests/Directory.Build.props", $"{Project}/TinyLlm.SafeTensors.Tests.csproj",
    ];

    private readonly string _copy = Directory.CreateTempSubdirectory("tinyllm-lock-").FullName;

    public static TheoryData<string> Projects => [.. Folders().Select(folder => Path.GetRelativePath(TestData.RepositoryRoot, folder))];

    public void Dispose() => Directory.Delete(_copy, recursive: true);

    [Theory]
    [MemberData(nameof(Projects))]
    public async Task LockFile_EachProject_NamesWhatIsAskedForAndNoAddress(string project)
    {
        Dictionary<string, string> central = await CentralVersionsAsync();
        string[] files = Directory.GetFiles(Path.Combine(TestData.RepositoryRoot, project), "packages*.lock.json");
        Assert.Contains("packages.lock.json", files.Select(Path.GetFileName));
        foreach (string file in files)
        {
            string text = await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken);
            Assert.DoesNotContain("://", text, StringComparison.Ordinal);
            using JsonDocument json = JsonDocument.Parse(text);
            JsonProperty[] packages = [.. json.RootElement.GetProperty("dependencies").EnumerateObject().SelectMany(framework => framework.Value.EnumerateObject())];
            Assert.NotEmpty(json.RootElement.GetProperty("dependencies").EnumerateObject());
            foreach (JsonProperty package in packages.Where(package => package.Value.GetProperty("type").GetString() != "Project"))
            {
                Assert.Equal(64, Convert.FromBase64String(package.Value.GetProperty("contentHash").GetString()!).Length);
                if (package.Value.GetProperty("type").GetString() is "Direct" or "CentralTransitive")
                    Assert.Equal(central[package.Name], package.Value.GetProperty("resolved").GetString());
            }
        }
    }

    [Fact]
    public void LockFiles_OfTheImagesRuntime_CoverTheHostAndAllThatItIsMadeOf() =>
        Assert.Equal(
            ["TinyLlm.Engine", "TinyLlm.Grains", "TinyLlm.Host", "TinyLlm.SafeTensors", "TinyLlm.Storage", "TinyLlm.Text"],
            Folders().Where(folder => File.Exists(Path.Combine(folder, "packages.linux-x64.lock.json"))).Select(Path.GetFileName).Order(StringComparer.Ordinal));

    [Fact]
    public async Task Restore_AnotherContentOrAnotherVersion_IsRefused()
    {
        foreach (string file in s_read)
        {
            Directory.CreateDirectory(Path.Combine(_copy, Path.GetDirectoryName(file)!));
            File.Copy(Path.Combine(TestData.RepositoryRoot, file), Path.Combine(_copy, file));
        }
        string path = Path.Combine(_copy, Project, "packages.lock.json");
        string locked = await File.ReadAllTextAsync(Path.Combine(TestData.RepositoryRoot, Project, "packages.lock.json"), TestContext.Current.CancellationToken);

        await File.WriteAllTextAsync(path, locked, TestContext.Current.CancellationToken);
        (int code, string output) = await RestoreAsync();
        Assert.True(code == 0, output);

        // The same version with another content: refused by every restore, whether or not it may change the file.
        string hash = HashPattern().Match(locked).Groups[1].Value;
        await File.WriteAllTextAsync(path, locked.Replace(hash, Convert.ToBase64String(new byte[64]), StringComparison.Ordinal), TestContext.Current.CancellationToken);
        (code, output) = await RestoreAsync();
        Assert.True(code != 0 && output.Contains("NU1403", StringComparison.Ordinal), output);

        // Another version, as of who changed the one file and not the other: refused where the lock files are final, as in continuous integration.
        await File.WriteAllTextAsync(path, locked.Replace("\"requested\": \"[", "\"requested\": \"[0.", StringComparison.Ordinal), TestContext.Current.CancellationToken);
        (code, output) = await RestoreAsync("-p:ContinuousIntegrationBuild=true");
        Assert.True(code != 0 && output.Contains("NU1004", StringComparison.Ordinal), output);
    }

    private static IEnumerable<string> Folders() => ((string[])["src", "tests", "bench"])
        .SelectMany(part => Directory.EnumerateDirectories(Path.Combine(TestData.RepositoryRoot, part)))
        .Where(folder => Directory.EnumerateFiles(folder, "*.csproj").Any())
        .Order(StringComparer.Ordinal);

    /// <summary>From the packages that the build of these tests restored; the feed's list of vulnerabilities is not asked for.</summary>
    private async Task<(int Code, string Output)> RestoreAsync(params string[] arguments)
    {
        ProcessStartInfo start = new("dotnet", ["restore", Project, "--force", "-nodeReuse:false", "-p:NuGetAudit=false", .. arguments]) { RedirectStandardOutput = true, WorkingDirectory = _copy };
        using Process process = Process.Start(start)!;
        string output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, output);
    }

    private static async Task<Dictionary<string, string>> CentralVersionsAsync() =>
        VersionPattern().Matches(await File.ReadAllTextAsync(Path.Combine(TestData.RepositoryRoot, "Directory.Packages.props"), TestContext.Current.CancellationToken))
            .ToDictionary(match => match.Groups[1].Value, match => match.Groups[2].Value, StringComparer.OrdinalIgnoreCase);

    [GeneratedRegex("<PackageVersion Include=\"([^\"]+)\" Version=\"([^\"]+)\"")]
    private static partial Regex VersionPattern();

    [GeneratedRegex("\"contentHash\": \"([^\"]+)\"")]
    private static partial Regex HashPattern();
}
