using System.Diagnostics;
using System.Text;
using System.Text.Json;
using TinyLlm.Tests;

namespace TinyLlm.Text.Tests.Oracles;

/// <summary>Runs a script of this folder under node with the packages of tests/npm: another implementation to compare ours with.</summary>
internal static class NodeOracle
{
    /// <summary>What the script answers to <paramref name="request"/>; skips the calling test when node or the packages are not there.</summary>
    public static JsonElement Ask(string script, object request)
    {
        string packages = Path.Combine(TestData.RepositoryRoot, "tests", "npm", "node_modules");
        Assert.SkipUnless(Directory.Exists(packages), "the packages are not in tests/npm/node_modules: run 'npm ci' in tests/npm");
        ProcessStartInfo start = new("node", [Path.Combine(AppContext.BaseDirectory, "Oracles", script), packages])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            StandardInputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
            StandardOutputEncoding = Encoding.UTF8,
        };
        using Process? process = TryStart(start);
        Assert.SkipWhen(process is null, "node can't be started: install Node.js to compare with the npm implementations");
        Task<string> answer = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        process.StandardInput.Write(JsonSerializer.Serialize(request));
        process.StandardInput.Close();
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        return JsonSerializer.Deserialize<JsonElement>(answer.Result);
    }

    private static Process? TryStart(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }
}
