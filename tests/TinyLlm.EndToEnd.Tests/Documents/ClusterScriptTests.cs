using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using TinyLlm.EndToEnd.Tests.Harness;
using TinyLlm.Tests;

namespace TinyLlm.EndToEnd.Tests.Documents;

/// <summary>The cluster that README.md starts, with the document's own command line and a port and folder of the test's. What it runs is built already.</summary>
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
        using Process script = Start($"exec {command} --no-build --port {FreePort.Below(ports: 2)} --data '{folder.Combine("data")}'");
        StringBuilder said = new();
        try
        {
            string? line;
            while ((line = await script.StandardOutput.ReadLineAsync(limit.Token)) is not null && !line.Contains(Running, StringComparison.Ordinal)) said.AppendLine(line);
            if (line is null) Assert.Fail($"it ended: {said}{await script.StandardError.ReadToEndAsync(limit.Token)}");
            Uri[] apis = [.. said.ToString().Split('\n').Where(text => text.StartsWith(Address, StringComparison.Ordinal)).Select(text => new Uri(text[Address.Length..].Trim()))];
            Assert.Equal(Count(command, "api"), apis.Length);
            using HttpClient client = new();
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", (await File.ReadAllTextAsync(folder.Combine("data", "keys", "admin-token"), limit.Token)).Trim());
            string[] expected = [.. ((string[])["api", "core", "gpu"]).SelectMany(role => Enumerable.Repeat(role, Count(command, role)))];
            foreach (Uri api in apis)
            {
                string[] roles;
                do roles = await RolesAsync(client, api, limit.Token); // until it has heard of all that joined after it
                while (roles.Length < expected.Length);
                Assert.Equal(expected, roles);
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

    /// <summary>The roles of the members that a process knows, in the alphabet's order.</summary>
    private static async Task<string[]> RolesAsync(HttpClient client, Uri api, CancellationToken cancellationToken)
    {
        JsonNode answer = JsonNode.Parse(await client.GetStringAsync(new Uri(api, "api/admin/silos"), cancellationToken))!;
        return [.. answer["silos"]!.AsArray().SelectMany(silo => silo!["roles"]!.AsArray()).Select(role => (string)role!).Order(StringComparer.Ordinal)];
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
