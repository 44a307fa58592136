using System.Net.Sockets;
using TinyLlm.EndToEnd.Tests.Harness;
using TinyLlm.Tests;

namespace TinyLlm.EndToEnd.Tests;

/// <summary>README.md's first block of shell, line by line, in a fresh clone: what a newcomer types is what is tested.</summary>
public sealed class QuickStartTests
{
    private const string LineMark = "@@line ";

    [Fact]
    public async Task Readme_QuickStartInAFreshClone_EndsWithTheModelsText()
    {
        string model = Stories.Folder;
        string[] lines = FirstShellBlock(await File.ReadAllTextAsync(Path.Combine(TestData.RepositoryRoot, "README.md"), TestContext.Current.CancellationToken));
        Assert.InRange(lines.Length, 1, 9);
        using TemporaryFolder folder = new();
        string clone = folder.Combine("tinyllm");
        await FreshClone.MakeAsync(clone);

        // The block as it is, between a trap that ends by its id what the block left running, and a mark before each line.
        string script = string.Join('\n', [
            "set -euo pipefail",
            "trap 'jobs=$(jobs -p); [ -z \"$jobs\" ] || kill $jobs; wait' EXIT",
            .. lines.SelectMany((line, number) => (string[])[$"echo '{LineMark}{number}'", line]),
        ]);
        Uri url = new($"http://127.0.0.1:{FreePort.OnLoopback()}");
        ToolRun run = await ToolRun.RunAsync("bash", ["-c", script], new()
        {
            ["MODEL"] = model,
            ["ASPNETCORE_URLS"] = url.ToString(),
            ["TINYLLM_URL"] = url.ToString(),
            ["TINYLLM_TOKEN"] = null,
            ["XDG_CONFIG_HOME"] = folder.Combine("config"),
            // No build server outlives the test.
            ["MSBUILDDISABLENODEREUSE"] = "1",
            ["UseSharedCompilation"] = "false",
            ["DOTNET_CLI_USE_MSBUILD_SERVER"] = "0",
        }, clone);

        Assert.True(run.ExitCode == 0, $"exit code {run.ExitCode}\n{run.Out}\n{run.Error}");
        string[] said = run.Out.Split(LineMark);
        Assert.Contains("alice/stories@1 ", run.Out, StringComparison.Ordinal);
        string text = said[^1][(said[^1].IndexOf('\n', StringComparison.Ordinal) + 1)..];
        // A model of 260,000 parameters tells stories of sorts; letters and spaces they are.
        Assert.InRange(text.Count(c => char.IsAsciiLetter(c) || c == ' '), text.Length * 3 / 4, int.MaxValue);
        Assert.Matches(@"\b(the|was|and|to|she|he|day)\b", text.ToLowerInvariant());
        Assert.False(await ListensAsync(url), "the quick start's host is still running");
    }

    private static string[] FirstShellBlock(string readme)
    {
        const string fence = "```sh\n";
        int begin = readme.IndexOf(fence, StringComparison.Ordinal) + fence.Length;
        return readme[begin..readme.IndexOf("\n```", begin, StringComparison.Ordinal)].Split('\n');
    }

    private static async Task<bool> ListensAsync(Uri url)
    {
        using TcpClient client = new();
        try
        {
            await client.ConnectAsync(url.Host, url.Port, TestContext.Current.CancellationToken);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
