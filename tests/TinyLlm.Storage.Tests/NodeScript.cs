using System.Diagnostics;
using System.Text;
using System.Text.Json;
using TinyLlm.Tests;

namespace TinyLlm.Storage.Tests;

/// <summary>Runs a script under node: another implementation to compare ours with.</summary>
internal static class NodeScript
{
    /// <summary>What a script of this project answers to <paramref name="request"/>; it uses node alone. Skips the calling test when node isn't there.</summary>
    public static JsonElement Ask(string script, object request) => Run(Path.Combine(AppContext.BaseDirectory, script), request);

    /// <summary>The same of a script in tests/npm that uses a package; skips the calling test when that isn't installed.</summary>
    public static JsonElement AskPackage(string package, string script, object request)
    {
        string folder = Path.Combine(TestData.RepositoryRoot, "tests", "npm");
        Assert.SkipUnless(Directory.Exists(Path.Combine(folder, "node_modules", package)), $"{package} is not installed: run 'npm ci' in tests/npm");
        return Run(Path.Combine(folder, script), request);
    }

    private static JsonElement Run(string path, object request)
    {
        UTF8Encoding utf8 = new(encoderShouldEmitUTF8Identifier: false);
        ProcessStartInfo start = new("node", [path])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            StandardInputEncoding = utf8,
            StandardOutputEncoding = utf8,
        };
        using Process? process = TryStart(start);
        Assert.SkipWhen(process is null, "node can't be started: install Node.js to compare with another implementation");
        Task<string> answer = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        process.StandardInput.Write(JsonSerializer.Serialize(request));
        process.StandardInput.Close();
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        return JsonSerializer.Deserialize<JsonElement>(answer.GetAwaiter().GetResult());
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
