using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace TinyLlm.Storage.Tests;

/// <summary>Runs a script of this project under node: another implementation to compare ours with. It uses node alone, no package.</summary>
internal static class NodeScript
{
    /// <summary>What the script answers to <paramref name="request"/>; skips the calling test when node isn't there.</summary>
    public static JsonElement Ask(string script, object request)
    {
        UTF8Encoding utf8 = new(encoderShouldEmitUTF8Identifier: false);
        ProcessStartInfo start = new("node", [Path.Combine(AppContext.BaseDirectory, script)])
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
