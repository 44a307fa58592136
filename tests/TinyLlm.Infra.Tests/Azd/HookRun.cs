using System.Diagnostics;
using TinyLlm.Tests;

namespace TinyLlm.Infra.Tests.Azd;

/// <summary>
/// A hook of infra/ with stand-ins for the programs that need a subscription: shell scripts of the test's that come first in the path and know their folder as $STATE.
/// Everything else is real. Disposing it removes the folder.
/// </summary>
internal sealed class HookRun : IDisposable
{
    private readonly string _programs;

    public HookRun()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the hooks are for a POSIX shell with openssl");
        _programs = Directory.CreateTempSubdirectory("tinyllm-hook-").FullName;
        State = Directory.CreateDirectory(Path.Combine(_programs, "state")).FullName;
    }

    /// <summary>Where the stand-ins keep what they are told.</summary>
    public string State { get; }

    /// <summary>Puts a program in place of the real one.</summary>
    public async Task StandInAsync(string name, string script)
    {
        string path = Path.Combine(_programs, name);
        await File.WriteAllTextAsync(path, script, TestContext.Current.CancellationToken);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
    }

    /// <summary>Runs it to its end and answers the exit code and all that it said.</summary>
    public async Task<(int ExitCode, string Said)> RunAsync(string hook, Dictionary<string, string> environment)
    {
        ProcessStartInfo start = new("sh", [Path.Combine(TestData.RepositoryRoot, "infra", hook)]) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach ((string name, string value) in environment) start.Environment[name] = value;
        start.Environment["PATH"] = $"{_programs}:{Environment.GetEnvironmentVariable("PATH")}";
        start.Environment["STATE"] = State;
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        string error = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, await output + error);
    }

    public void Dispose() => Directory.Delete(_programs, recursive: true);
}
