using System.Diagnostics;
using TinyLlm.Cli.Tests.StandIn;
using TinyLlm.Tests;

namespace TinyLlm.Cli.Tests;

/// <summary>Signals as the system sends them, to the program as a process.</summary>
public sealed class SignalTests
{
    [Theory]
    [InlineData("INT")]
    [InlineData("TERM")]
    public async Task Process_SignalDuringAnUpload_AbandonsItAndEndsAsInterrupted(string signal)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no such signals");
        TaskCompletionSource arrived = new(TaskCreationOptions.RunContinuationsAsynchronously);
        UploadTarget target = new()
        {
            Interfere = async (_, _, context) =>
            {
                TaskCompletionSource gone = new(TaskCreationOptions.RunContinuationsAsynchronously);
                using CancellationTokenRegistration registration = context.RequestAborted.Register(gone.SetResult);
                arrived.SetResult();
                await gone.Task;
                return true;
            },
        };
        await using StandInHost host = await StandInHost.StartAsync(target.Map);
        using CliRun run = new();
        string program = Path.Combine(TestData.RepositoryRoot, "src", "TinyLlm.Cli", "bin", TestBuild.Configuration, "net10.0", "tinyllm.dll");
        ProcessStartInfo start = new("dotnet", [program, "push", ModelSample.Write(run.NewFolder("stories")), "--url", host.Url, "--token", "t"])
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        try
        {
            Task<string> error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            await arrived.Task.WaitAsync(TestContext.Current.CancellationToken);
            using (Process kill = Process.Start("kill", [$"-{signal}", $"{process.Id}"])) await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.Equal(ExitCode.Interrupted, process.ExitCode);
            Assert.EndsWith("tinyllm: interrupted\n", await error, StringComparison.Ordinal);
            Assert.Equal("abandon", target.Log[^1]);
        }
        finally
        {
            if (!process.HasExited) process.Kill();
        }
    }
}
