using System.Text;
using System.Text.RegularExpressions;
using TinyLlm.EndToEnd.Tests.Harness;
using TinyLlm.Tests;

namespace TinyLlm.EndToEnd.Tests.Documents;

/// <summary>docs/CLI.md as one session of a shell: every command in it runs, in its order, and prints what stands under it. openssl and sha256sum check the export as the document says.</summary>
public sealed partial class CliDocumentTests(SharedHost shared)
{
    private const string Document = "docs/CLI.md";
    private const string Mark = "@@ended";

    /// <summary>Where the document's reader is.</summary>
    private const string Home = "/home/alice";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Commands_OfTheDocument_PrintWhatStandsUnderThem()
    {
        (string Command, string Output)[] documented = [.. await ReadAsync()];
        Assert.InRange(documented.Length, 20, int.MaxValue);
        using UserClient user = await shared.NewUserAsync("cli-reader");
        await user.UploadStoriesAsync();
        using TemporaryFolder folder = new();
        await WriteModelsAsync(folder);

        // A mark after each command, which leaves its exit code to the next one.
        StringBuilder script = new($"exec 2>&1\ntinyllm() {{ dotnet '{TestBuild.Program("TinyLlm.Cli", "tinyllm.dll")}' \"$@\"; }}\n");
        foreach ((string command, _) in documented) script.Append($"{command}\ncode=$?; echo '{Mark}'; (exit $code)\n");
        ToolRun run = await ToolRun.RunAsync("bash", ["-c", script.ToString()], new()
        {
            ["TINYLLM_URL"] = shared.Host.Url.ToString(),
            ["TINYLLM_TOKEN"] = user.Token,
            ["XDG_CONFIG_HOME"] = folder.Combine("config"),
            ["LC_ALL"] = "C.UTF-8",
        }, folder.Path);

        string[] printed = run.Out.Replace(folder.Path, Home, StringComparison.Ordinal).Replace(user.Name, "alice", StringComparison.Ordinal).Split($"{Mark}\n");
        Assert.Equal(documented.Length + 1, printed.Length);
        Assert.Equal(
            string.Concat(documented.Select(entry => $"$ {entry.Command}\n{entry.Output}")),
            string.Concat(documented.Zip(printed, (entry, output) => $"$ {entry.Command}\n{output}")));
    }

    /// <summary>What can't be run here hides nothing else.</summary>
    [Fact]
    public async Task Blocks_OfTheDocument_AreRunOrThePublicTools()
    {
        foreach (Match block in BlockPattern().Matches(await File.ReadAllTextAsync(Path.Combine(TestData.RepositoryRoot, Document), Cancel)).Where(block => block.Groups["kind"].Value != "console"))
        {
            Assert.Equal("sh model_signing", block.Groups["kind"].Value);
            Assert.Matches(@"^pip install model-signing\nmodel_signing verify key [^\n]+\n$", block.Groups["lines"].Value);
        }
    }

    /// <summary>What lies in the reader's folder: a model, and a library of one that is whole, one that was cut short and one that is no SafeTensors.</summary>
    private static async Task WriteModelsAsync(TemporaryFolder folder)
    {
        Dictionary<string, byte[]> files = Stories.Files();
        foreach (string path in (string[])["stories", "library/cut", "library/stories", "library/pickled"]) Directory.CreateDirectory(folder.Combine(path));
        foreach (string model in (string[])["stories", "library/stories"])
        {
            foreach ((string name, byte[] bytes) in files) await File.WriteAllBytesAsync(folder.Combine(model, name), bytes, Cancel);
        }
        await File.WriteAllBytesAsync(folder.Combine("library/cut/model.safetensors"), files["model.safetensors"][..1_000_000], Cancel);
        await File.WriteAllBytesAsync(folder.Combine("library/pickled/pytorch_model.bin"), new byte[64], Cancel);
    }

    private static async Task<IEnumerable<(string Command, string Output)>> ReadAsync() =>
        BlockPattern().Matches(await File.ReadAllTextAsync(Path.Combine(TestData.RepositoryRoot, Document), Cancel))
            .Where(block => block.Groups["kind"].Value == "console")
            .SelectMany(block => CommandPattern().Matches(block.Groups["lines"].Value))
            .Select(entry => (entry.Groups["command"].Value, entry.Groups["output"].Value));

    [GeneratedRegex(@"^```(?<kind>[^\n]*)\n(?<lines>.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex BlockPattern();

    [GeneratedRegex(@"^\$ (?<command>[^\n]+)\n(?<output>(?:(?!\$ )[^\n]*\n)*)", RegexOptions.Multiline)]
    private static partial Regex CommandPattern();
}
