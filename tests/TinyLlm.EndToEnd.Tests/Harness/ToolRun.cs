using System.Diagnostics;
using System.Text;

namespace TinyLlm.EndToEnd.Tests.Harness;

/// <summary>A program that was run to its end: what it answered and printed.</summary>
internal sealed record ToolRun(int ExitCode, string Out, string Error)
{
    // A fresh build of everything on a slow machine; nothing else comes near.
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(15);

    /// <summary>Runs <c>tinyllm</c> against a host, with a settings folder of its own.</summary>
    public static Task<ToolRun> CliAsync(RunningHost host, string configFolder, params string[] args) => RunAsync(
        "dotnet",
        [TestBuild.Program("TinyLlm.Cli", "tinyllm.dll"), .. args],
        new() { ["TINYLLM_URL"] = host.Url.ToString(), ["XDG_CONFIG_HOME"] = configFolder, ["TINYLLM_TOKEN"] = null });

    /// <summary>Runs a program with nothing on its standard input. It is killed, by its id and with its children, when the test is cancelled.</summary>
    public static async Task<ToolRun> RunAsync(string program, IEnumerable<string> args, Dictionary<string, string?> environment, string? folder = null)
    {
        ProcessStartInfo start = new(program, args)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            WorkingDirectory = folder ?? Path.GetTempPath(),
        };
        foreach ((string name, string? value) in environment) start.Environment[name] = value;
        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Limit);
        try
        {
            Task<string> output = process.StandardOutput.ReadToEndAsync(limit.Token);
            Task<string> error = process.StandardError.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            return new ToolRun(process.ExitCode, await output, await error);
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
    }
}
