using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;
using TinyLlm.Tests;

namespace TinyLlm.Infra.Tests.Bicep;

/// <summary>The real Bicep compiler, from its package.</summary>
internal static class BicepCompiler
{
    /// <summary>Every Bicep file of the repository, relative to its root.</summary>
    public static IEnumerable<string> Files { get; } =
        [.. new[] { "infra", "bicep" }
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(TestData.RepositoryRoot, folder), "*.bicep"))
            .Select(file => Path.GetRelativePath(TestData.RepositoryRoot, file)).Order(StringComparer.Ordinal)];

    private static readonly Lazy<Task<string>> s_main = new(() => BuildAsync("infra/main.bicep"));

    /// <summary>The compiled ARM template of the entry point, with every module in it.</summary>
    public static Task<string> Main => s_main.Value;

    /// <summary>What the compiler says about every file of a folder: nothing, where nothing is wrong.</summary>
    public static async Task<(int ExitCode, string Said)> LintAsync(string folder)
    {
        (int exitCode, string output, string error) = await RunAsync("lint", "--pattern", $"{folder}/*.bicep");
        return (exitCode, output + error);
    }

    private static async Task<string> BuildAsync(string file)
    {
        (int exitCode, string output, string error) = await RunAsync("build", "--stdout", file);
        Assert.True(exitCode == 0 && error.Length == 0, $"{file} does not build without a warning:\n{error}");
        return output;
    }

    private static async Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] arguments)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && RuntimeInformation.OSArchitecture == Architecture.X64, "the Bicep compiler's package is for Linux x64");
        string package = typeof(BicepCompiler).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(data => data.Key == "BicepPackage").Value!;
        string program = Path.Combine(package, "tools", "bicep");
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(program) & UnixFileMode.UserExecute) == 0) File.SetUnixFileMode(program, File.GetUnixFileMode(program) | UnixFileMode.UserExecute);
        ProcessStartInfo start = new(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = TestData.RepositoryRoot,
        };
        start.Environment["DOTNET_SYSTEM_GLOBALIZATION_INVARIANT"] = "1"; // where there is no ICU it does not start otherwise
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        Task<string> error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, await output, await error);
    }
}
