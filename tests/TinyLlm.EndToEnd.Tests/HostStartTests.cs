using TinyLlm.EndToEnd.Tests.Harness;

namespace TinyLlm.EndToEnd.Tests;

/// <summary>A host that can't start says why in a line, and ends with exit code 2.</summary>
public sealed class HostStartTests
{
    [Theory]
    [InlineData("error: --data is given twice: give it once", "--data", "a", "--data", "b")]
    [InlineData("error: --TinyLlm:Data is given twice: give it once", "--data=a", "--TinyLlm:Data", "b")]
    [InlineData("error: --tinyllm:x is given twice: give it once", "--TinyLlm:X", "1", "--tinyllm:x=2")]
    public async Task Start_SwitchGivenTwice_IsOneLineAndExitCode2(string line, params string[] arguments)
    {
        using TemporaryFolder folder = new();
        ToolRun run = await ToolRun.RunAsync("dotnet", [TestBuild.Program("TinyLlm.Host", "TinyLlm.Host.dll"), .. arguments], [], folder.Path);
        Assert.Equal((2, line + "\n", ""), (run.ExitCode, run.Error, run.Out));
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
    }
}
