using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;
using k8s.Models;
using TinyLlm.Infra.Tests.Manifests;
using TinyLlm.Tests;

namespace TinyLlm.Infra.Tests.Images;

/// <summary>The images, as MSBuild evaluates the projects: the packages of CUDA can't be restored everywhere, but which are asked for can be seen.</summary>
public sealed partial class ImageTests
{
    private const string Host = "src/TinyLlm.Host/TinyLlm.Host.csproj";
    private const string Engine = "src/TinyLlm.Engine/TinyLlm.Engine.csproj";

    [Fact]
    public async Task TorchDevice_Cuda_TakesTheOfficialPackageAndNothingOfTheCpus()
    {
        Evaluation usual = await EvaluateAsync(Engine);
        Evaluation cuda = await EvaluateAsync(Engine, "-p:TorchDevice=cuda");

        Assert.Equal(["libtorch-cpu-linux-x64"], usual.Packages.Except(cuda.Packages));
        Assert.Equal(["TorchSharp-cuda-linux"], cuda.Packages.Except(usual.Packages));
        Assert.Equal(usual.Projects, cuda.Projects);
        Assert.Equal(usual.Compiled, cuda.Compiled); // no source of ours is another
        string packages = await File.ReadAllTextAsync(Path.Combine(TestData.RepositoryRoot, "Directory.Packages.props"), TestContext.Current.CancellationToken);
        string version = TorchSharpPattern().Match(packages).Groups[1].Value;
        Assert.Contains($"<PackageVersion Include=\"TorchSharp-cuda-linux\" Version=\"{version}\" />", packages, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Container_OfTheHost_IsWhatTheDockerfileAndThePodsSay()
    {
        Evaluation host = await EvaluateAsync(Host);
        Evaluation cuda = await EvaluateAsync(Host, "-p:TorchDevice=cuda");
        string dockerfile = await File.ReadAllTextAsync(Path.Combine(TestData.RepositoryRoot, "Dockerfile"), TestContext.Current.CancellationToken);
        ManifestSet manifests = await ManifestSet.LoadAsync();

        Assert.Equal("tinyllm", host.Properties["ContainerRepository"]);
        Assert.Equal("linux-x64", host.Properties["ContainerRuntimeIdentifier"]);
        Assert.Equal(host.Properties["ContainerImageTag"] + "-cuda", cuda.Properties["ContainerImageTag"]);
        Assert.Equal(host.Properties["ContainerBaseImage"], cuda.Properties["ContainerBaseImage"]);
        Assert.Contains($"FROM {host.Properties["ContainerBaseImage"]}\n", dockerfile, StringComparison.Ordinal);
        Assert.Contains($"USER {host.Properties["ContainerUser"]}\n", dockerfile, StringComparison.Ordinal);
        Assert.All(manifests.Of<V1Deployment>().Values, deployment => Assert.Equal(host.Properties["ContainerUser"], $"{deployment.Spec.Template.Spec.SecurityContext.RunAsUser}"));
    }

    /// <summary>
    /// Wherever an image is made, it is made for Linux x64: without a runtime it had the libtorch of the machine that made it, which on a Mac is none that a node can load. And
    /// nobody publishes for a runtime that libtorch has no package for.
    /// </summary>
    [Theory]
    [InlineData("Dockerfile")]
    [InlineData("infra/prepare-deploy.sh")]
    [InlineData(".github/workflows/publish.yml")]
    [InlineData("docs/OPERATIONS.md")]
    public async Task Publish_OfAnImage_NamesItsRuntime(string file)
    {
        string text = await File.ReadAllTextAsync(Path.Combine(TestData.RepositoryRoot, file), TestContext.Current.CancellationToken);

        Match[] commands = PublishPattern().Matches(text).ToArray();
        Assert.NotEmpty(commands);
        Assert.All(commands, command => Assert.StartsWith("dotnet publish src/TinyLlm.Host -c Release -r linux-x64 --self-contained false ", command.Value, StringComparison.Ordinal));
    }

    /// <summary>A system without a package of libtorch is told so, and which ones have one; before, NuGet complained of a version that nobody is meant to add.</summary>
    [Theory]
    [InlineData("linux-arm64", "cpu")]
    [InlineData("win-x64", "cuda")]
    public async Task Restore_ForARuntimeWithoutLibTorch_SaysWhichHaveIt(string runtime, string device)
    {
        ProcessStartInfo start = new("dotnet",
            ["msbuild", Path.Combine(TestData.RepositoryRoot, Engine), "-nologo", "-nodeReuse:false", "-t:CollectPackageReferences", $"-p:RuntimeIdentifier={runtime}", $"-p:TorchDevice={device}"])
        {
            RedirectStandardOutput = true,
        };
        using Process process = Process.Start(start)!;
        string output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.NotEqual(0, process.ExitCode);
        Assert.Contains($"libtorch has no package for '{runtime}' with TorchDevice={device}", output, StringComparison.Ordinal);
        // It names those that there are.
        string packages = await File.ReadAllTextAsync(Path.Combine(TestData.RepositoryRoot, "Directory.Packages.props"), TestContext.Current.CancellationToken);
        string[] runtimes = [.. LibTorchPattern().Matches(packages).Select(match => match.Groups[1].Value)];
        Assert.Equal(3, runtimes.Length);
        Assert.All(runtimes, known => Assert.Contains(known, output, StringComparison.Ordinal));
    }

    private static async Task<Evaluation> EvaluateAsync(string project, params string[] arguments)
    {
        ProcessStartInfo start = new("dotnet",
        [
            "msbuild", Path.Combine(TestData.RepositoryRoot, project), "-nologo", "-nodeReuse:false", "-getItem:PackageReference", "-getItem:ProjectReference", "-getItem:Compile",
            "-getProperty:ContainerRepository", "-getProperty:ContainerBaseImage", "-getProperty:ContainerUser", "-getProperty:ContainerImageTag", "-getProperty:ContainerRuntimeIdentifier", .. arguments,
        ])
        {
            RedirectStandardOutput = true,
        };
        using Process process = Process.Start(start)!;
        string output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, output);
        JsonElement json = JsonDocument.Parse(output).RootElement;
        string[] Items(string name) => [.. json.GetProperty("Items").GetProperty(name).EnumerateArray().Select(item => item.GetProperty("Identity").GetString()!).Order(StringComparer.Ordinal)];
        return new Evaluation(
            Items("PackageReference"), Items("ProjectReference"), Items("Compile"),
            json.GetProperty("Properties").EnumerateObject().ToDictionary(property => property.Name, property => property.Value.GetString()!));
    }

    private sealed record Evaluation(string[] Packages, string[] Projects, string[] Compiled, Dictionary<string, string> Properties);

    [GeneratedRegex(@"dotnet publish src/TinyLlm\.Host .*")]
    private static partial Regex PublishPattern();

    [GeneratedRegex("Include=\"libtorch-cpu-([^\"]+)\"")]
    private static partial Regex LibTorchPattern();

    [GeneratedRegex("Include=\"TorchSharp\" Version=\"([^\"]+)\"")]
    private static partial Regex TorchSharpPattern();
}
