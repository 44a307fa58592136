using System.Diagnostics;
using TinyLlm.Tests;

namespace TinyLlm.Infra.Tests.Packages;

/// <summary>A folder with what the repository's root says of every build, for projects that a test makes up.</summary>
internal sealed class RootCopy : IDisposable
{
    private static readonly string[] s_files =
        [".editorconfig", "Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props", "global.json", "src/TinyLlm.Engine/build/LibTorch.targets"];

    private readonly string _folder = Directory.CreateTempSubdirectory("tinyllm-root-").FullName;

    public RootCopy()
    {
        foreach (string file in s_files)
        {
            Directory.CreateDirectory(Path.Combine(_folder, Path.GetDirectoryName(file)!));
            File.Copy(Path.Combine(TestData.RepositoryRoot, file), Path.Combine(_folder, file));
        }
    }

    public Task WriteAsync(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(_folder, path))!);
        return File.WriteAllTextAsync(Path.Combine(_folder, path), text, TestContext.Current.CancellationToken);
    }

    /// <summary>Runs dotnet here; the packages are those that the build of these tests restored.</summary>
    public async Task<(int Code, string Output)> DotnetAsync(params string[] arguments)
    {
        ProcessStartInfo start = new("dotnet", [.. arguments, "-nodeReuse:false"]) { RedirectStandardOutput = true, WorkingDirectory = _folder };
        start.Environment["NUGET_HTTP_CACHE_PATH"] = Path.Combine(_folder, "http-cache"); // what a feed said to another test is not said again
        start.Environment["NO_PROXY"] = start.Environment["no_proxy"] = "127.0.0.1";
        using Process process = Process.Start(start)!;
        string output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, output);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
