using System.Text.Json;
using TinyLlm.Cli.Tests.StandIn;

namespace TinyLlm.Cli.Tests.Commands;

public sealed class ScanCommandTests
{
    [Fact]
    public async Task Scan_ManyFolders_ReportsEachModelAndNamesWhatIsUnsafe()
    {
        using CliRun run = new();
        string root = run.NewFolder("models");
        ModelSample.Write(Directory.CreateDirectory(Path.Combine(root, "good")).FullName);
        string mixed = ModelSample.Write(Directory.CreateDirectory(Path.Combine(root, "nested", "mixed")).FullName);
        string pickles = Directory.CreateDirectory(Path.Combine(root, "pickles")).FullName;
        Directory.CreateDirectory(Path.Combine(root, "nothing"));
        // A pipe would hang whoever opens it; a folder of no reader would fail.
        foreach (string name in (string[])["pytorch_model.bin", "weights.PT", "old.npz"]) MakeUnreadable(Path.Combine(pickles, name));
        MakeUnreadable(Path.Combine(mixed, "model.gguf"));

        Assert.Equal(2, await run.RunAsync("scan", "--json", root));

        JsonElement[] models = [.. JsonDocument.Parse(run.Out.Text).RootElement.EnumerateArray()];
        Assert.Equal(["good", "nested/mixed", "pickles"], models.Select(model => model.GetProperty("path").GetString()!.Replace('\\', '/')));
        Assert.Equal([true, true, false], models.Select(model => model.GetProperty("valid").GetBoolean()));
        Assert.Equal(["safetensors", "gguf"], models[1].GetProperty("formats").EnumerateArray().Select(format => format.GetString()));
        Assert.Equal(4096, models[0].GetProperty("parameters").GetInt64());
        Assert.Equal(
            ["old.npz unsafe", "pytorch_model.bin unsafe", "weights.PT unsafe"],
            models[2].GetProperty("foreign").EnumerateArray().Select(file => $"{file.GetProperty("name").GetString()} {file.GetProperty("verdict").GetString()}"));
        Assert.Contains("nested/mixed: model.gguf: unsupported, not opened", run.Error.Text.Replace('\\', '/'), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Scan_OnlyValidModels_IsFineAndTabSeparatedInAPipe()
    {
        using CliRun run = new();
        string root = run.NewFolder("models");
        ModelSample.Write(root, weightBytes: 100);

        Assert.Equal(ExitCode.Ok, await run.RunAsync("scan", root));

        Assert.Matches(@"^\.\tsafetensors\t\d+\t1\t100\tvalid\s*$", run.Out.Text);
    }

    [Fact]
    public async Task Scan_OnATerminal_DrawsATable()
    {
        using CliRun run = new() { IsTerminal = true };
        ModelSample.Write(run.NewFolder("models"));

        Assert.Equal(ExitCode.Ok, await run.RunAsync("scan", run.NewFolder("models")));

        Assert.Contains("safetensors", run.Out.Text, StringComparison.Ordinal);
        Assert.Contains("yes", run.Out.Text, StringComparison.Ordinal);
    }

    /// <summary>A file that nobody may read: who opens it fails.</summary>
    private static void MakeUnreadable(string path)
    {
        File.WriteAllText(path, "x");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, UnixFileMode.None);
    }
}
