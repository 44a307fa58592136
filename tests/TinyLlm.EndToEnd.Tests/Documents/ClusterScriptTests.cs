using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using TinyLlm.EndToEnd.Tests.Harness;
using TinyLlm.Tests;

namespace TinyLlm.EndToEnd.Tests.Documents;

/// <summary>The cluster that README.md starts, with the document's own command line and a port and folder of the test's.</summary>
public sealed class ClusterScriptTests
{
    private const string Running = "Ctrl-C stops them";
    private const string Address = "API          ";

    // Five hosts, one after the other, on a slow machine.
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(10);

    [Fact]
    public async Task RunCluster_AsTheReadmeStartsIt_HasItsProcessesAndStopsThem()
    {
        RedisServer.SkipWithoutIt();
        Assert.SkipUnless(AzuriteProcess.IsInstalled, "Azurite is not installed: run 'npm ci' in tests/npm");
        string command = Assert.Single(DocumentedCommands.Of(typeof(ClusterScriptTests))).Text;
        using TemporaryFolder folder = new();
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(s_limit);
        using Process script = Start($"exec {command} --port {FreePort.Below(ports: 2)} --data '{folder.Combine("data")}'");
        StringBuilder said = new();
        try
        {
            string? line;
            while ((line = await script.StandardOutput.ReadLineAsync(limit.Token)) is not null && !line.Contains(Running, StringComparison.Ordinal)) said.AppendLine(line);
            Assert.True(line is not null, $"it ended: {said}{await script.StandardError.ReadToEndAsync(limit.Token)}");
            Uri[] apis = [.. said.ToString().Split('\n').Where(text => text.StartsWith(Address, StringComparison.Ordinal)).Select(text => new Uri(text[Address.Length..].Trim()))];
            Assert.Equal(Count(command, "api"), apis.Length);
            using HttpClient client = new();
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", (await File.ReadAllTextAsync(folder.Combine("data", "keys", "admin-token"), limit.Token)).Trim());
            foreach (Uri api in apis)
            {
                JsonNode silos = JsonNode.Parse(await client.GetStringAsync(new Uri(api, "api/admin/silos"), limit.Token))!;
                string[] roles = [.. silos["silos"]!.AsArray().Select(silo => (string)silo!["roles"]!.AsArray().Single()!)];
                Assert.All(["api", "core", "gpu"], role => Assert.Equal(Count(command, role), roles.Count(name => name == role)));
            }

            Stop(script);
            Assert.EndsWith("stopped\n", await script.StandardOutput.ReadToEndAsync(limit.Token), StringComparison.Ordinal);
            await script.WaitForExitAsync(limit.Token);
            Assert.Equal(128 + 15, script.ExitCode);
            foreach (Uri api in apis) await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync(new Uri(api, "healthz/live"), limit.Token));
        }
        finally
        {
            if (!script.HasExited)
            {
                Stop(script); // which ends what it started
                await script.WaitForExitAsync(CancellationToken.None);
            }
        }
    }

    private static int Count(string command, string role)
    {
        string[] words = command.Split(' ');
        return int.Parse(words[Array.IndexOf(words, $"--{role}") + 1], System.Globalization.CultureInfo.InvariantCulture);
    }

    private static Process Start(string command)
    {
        ProcessStartInfo start = new("bash", ["-c", command])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = TestData.RepositoryRoot,
        };
        // No build server outlives the test.
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["UseSharedCompilation"] = "false";
        start.Environment["DOTNET_CLI_USE_MSBUILD_SERVER"] = "0";
        Process process = Process.Start(start)!;
        process.StandardInput.Close();
        return process;
    }

    /// <summary>SIGTERM, which the script takes as it takes Ctrl-C: that one reaches only who has a terminal.</summary>
    private static void Stop(Process script)
    {
        using Process kill = Process.Start("kill", ["-TERM", $"{script.Id}"]);
        kill.WaitForExit();
    }
}
