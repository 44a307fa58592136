using System.Net.Sockets;
using TinyLlm.EndToEnd.Tests.Harness;

namespace TinyLlm.EndToEnd.Tests.Documents;

/// <summary>
/// The documents' commands for one host, line by line in a fresh clone, from building it to stopping it: what a newcomer types is what is tested. After the lines of the blocks
/// come the commands that sentences name; those without their arguments are asked for their help.
/// </summary>
public sealed class QuickStartTests
{
    private const string LineMark = "@@line ";

    /// <summary>What the README takes for granted before a command: another user, and a public key.</summary>
    private static readonly (string Before, string[] Commands)[] s_given =
    [
        ("tinyllm token add ", ["(export XDG_CONFIG_HOME=$PWD/operator; tinyllm login --token-file data/admin-token; tinyllm user add bob)"]),
        ("tinyllm trust add ", ["openssl ecparam -name prime256v1 -genkey -noout | openssl ec -pubout -out key.pub 2>/dev/null"]),
    ];

    /// <summary>What a command that is named in a sentence reads.</summary>
    private static readonly (string Start, string Input)[] s_inputs =
    [
        ("tinyllm tokenize ", "\"Once upon a time\""),
        ("tinyllm detokenize ", "[1, 2, 3]"),
        ("tinyllm render ", "{\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}"),
    ];

    [Fact]
    public async Task Readme_QuickStartInAFreshClone_EndsWithTheModelsText()
    {
        string model = Stories.Folder;
        DocumentedCommand[] commands = DocumentedCommands.Of(typeof(QuickStartTests));
        DocumentedCommand stop = Assert.Single(commands, command => command.Text.StartsWith("kill ", StringComparison.Ordinal));
        string[] lines = [.. commands.Where(command => !command.IsMention).Select(command => command.Text), .. commands.Where(command => command.IsMention && command != stop).Select(Complete), stop.Text];
        int chat = Array.FindIndex(lines, line => line.StartsWith("tinyllm chat ", StringComparison.Ordinal));
        Assert.InRange(chat, 0, 8); // under ten lines from the clone to the text
        using TemporaryFolder folder = new();
        string clone = folder.Combine("tinyllm");
        await FreshClone.MakeAsync(clone);

        // The lines as they are, between a trap that ends by its id what the block left running, and a mark before each line.
        string script = string.Join('\n', [
            "set -euo pipefail",
            "trap 'jobs=$(jobs -p); [ -z \"$jobs\" ] || kill $jobs; wait' EXIT",
            "export PATH=\"$PWD/src/TinyLlm.Host/bin/Release/net10.0:$PATH\"", // for what a sentence calls by its name
            .. lines.SelectMany((line, number) => (string[])[.. s_given.Where(given => line.StartsWith(given.Before, StringComparison.Ordinal)).SelectMany(given => given.Commands), $"echo '{LineMark}{number}'", line]),
            "wait",
        ]);
        Uri url = new($"http://127.0.0.1:{FreePort.Below()}");
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
        Assert.Equal(lines.Length + 1, said.Length);
        string text = said[chat + 1][(said[chat + 1].IndexOf('\n', StringComparison.Ordinal) + 1)..];
        // A model of 260,000 parameters tells stories of sorts; letters and spaces they are.
        Assert.InRange(text.Count(c => char.IsAsciiLetter(c) || c == ' '), text.Length * 3 / 4, int.MaxValue);
        Assert.Matches(@"\b(the|was|and|to|she|he|day)\b", text.ToLowerInvariant());
        Assert.False(await ListensAsync(url), "the quick start's host is still running");
    }

    /// <summary>A command that a sentence names, with what it needs to run.</summary>
    private static string Complete(DocumentedCommand command)
    {
        string text = command.Text.Replace("FILE|DIR", "\"$MODEL\"", StringComparison.Ordinal).Replace(" DIR", " \"$MODEL\"", StringComparison.Ordinal).Replace("[--special]", "--special", StringComparison.Ordinal);
        if (s_inputs.FirstOrDefault(entry => text.StartsWith(entry.Start, StringComparison.Ordinal)).Input is { } input) return $"echo '{input}' | {text}";
        return text.Contains("--", StringComparison.Ordinal) ? text : $"{text} --help";
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
