using System.Diagnostics;
using TinyLlm.Tests;

namespace TinyLlm.Cli.Tests;

/// <summary>The tool as its users get it: packed, installed from a folder, run.</summary>
public sealed class PackedToolTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("tinyllm-pack-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task PackedTool_InstalledFromAFolder_Runs()
    {
        string packages = Path.Combine(folder, "packages");
        string tools = Path.Combine(folder, "tools");
        // Only the folder is a source: nothing is asked of a network. The file is the test's own and is never committed.
        string config = Path.Combine(folder, "nuget.config");
        await File.WriteAllTextAsync(
            config,
            $"""<configuration><packageSources><clear /><add key="local" value="{packages}" /></packageSources></configuration>""",
            TestContext.Current.CancellationToken);
        string project = Path.Combine(TestData.RepositoryRoot, "src", "TinyLlm.Cli", "TinyLlm.Cli.csproj");
        await DotnetAsync("pack", project, "-c", TestBuild.Configuration, "--no-build", "-o", packages);
        await DotnetAsync("tool", "install", "TinyLlm.Cli", "--tool-path", tools, "--configfile", config, "--no-http-cache");

        (int exitCode, string output) = await RunAsync(Path.Combine(tools, OperatingSystem.IsWindows() ? "tinyllm.exe" : "tinyllm"), "--help");
        Assert.Equal(0, exitCode);
        Assert.Contains("push <DIR>", output, StringComparison.Ordinal);
    }

    private async Task DotnetAsync(params string[] args)
    {
        (int exitCode, string output) = await RunAsync("dotnet", args);
        Assert.True(exitCode == 0, $"dotnet {string.Join(' ', args)} exited with {exitCode}:\n{output}");
    }

    private async Task<(int ExitCode, string Output)> RunAsync(string program, params string[] args)
    {
        ProcessStartInfo start = new(program, args) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder };
        // The package must come from the folder alone, not from what an earlier run left behind.
        if (args[0] == "tool") start.Environment["NUGET_PACKAGES"] = Path.Combine(folder, "cache");
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        Task<string> error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, await output + await error);
    }
}
