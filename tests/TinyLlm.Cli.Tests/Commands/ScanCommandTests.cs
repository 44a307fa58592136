using System.Diagnostics;
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

    [Fact]
    public async Task Scan_NothingBelow_SaysSoAndIsFine()
    {
        using CliRun run = new();
        string root = run.NewFolder("documents");
        Directory.CreateDirectory(Path.Combine(root, "letters"));

        Assert.Equal(ExitCode.Ok, await run.RunAsync("scan", root));
        Assert.Empty(run.Out.Text); // no row
        Assert.Equal($"no models found under '{root}'\n", run.Error.Text);
        Assert.Equal(ExitCode.Ok, await run.RunAsync("scan", "--json", root));
        Assert.Equal(0, JsonDocument.Parse(run.Out.Text).RootElement.GetArrayLength());
    }

    /// <summary>One file that could not be read ended the whole scan, and a pipe held it for ever.</summary>
    [Fact]
    public async Task Scan_WhatCanNotBeRead_IsARowAndTheScanGoesOn()
    {
        using CliRun run = new();
        string root = run.NewFolder("models"), odd = Directory.CreateDirectory(Path.Combine(root, "m-odd")).FullName;
        OddFiles.Write(odd);
        Directory.CreateSymbolicLink(Path.Combine(odd, "loop"), root);
        foreach (string name in (string[])["a", "z"]) ModelSample.Write(Directory.CreateDirectory(Path.Combine(root, name)).FullName);

        Assert.Equal(2, await run.RunAsync("scan", "--json", root));

        JsonElement[] models = [.. JsonDocument.Parse(run.Out.Text).RootElement.EnumerateArray()];
        Assert.Equal(["a True", "m-odd False", "z True"], models.Select(model => $"{model.GetProperty("path").GetString()} {model.GetProperty("valid").GetBoolean()}"));
        Assert.Equal(
            OddFiles.Faults,
            models[1].GetProperty("faults").EnumerateArray().Select(fault => $"{fault.GetProperty("file").GetString()} {fault.GetProperty("code").GetString()}"));
        foreach (string fault in OddFiles.Faults)
            Assert.Matches($@"m-odd: {fault.Split(' ')[0]}: [^\n]+ \(code {fault.Split(' ')[1]}\)\n", run.Error.Text);
    }

    /// <summary>Names that are not UTF-8 reach a program as others, by which nothing is found.</summary>
    [Fact]
    public async Task Scan_NamesThatAreNotUtf8_AreRowsAndTheScanGoesOn()
    {
        using CliRun run = new();
        string root = run.NewFolder("models");
        ModelSample.Write(Directory.CreateDirectory(Path.Combine(root, "good")).FullName);
        await BashAsync(@"mkdir $'z\xff' file && touch $'file/\xff.safetensors'", root); // .NET can't make them, and can't delete them

        Assert.Equal(2, await run.RunAsync("scan", root));

        await BashAsync("find . -mindepth 1 -delete", root);
        Assert.Equal(["invalid", "valid", "invalid"], run.Out.Text.TrimEnd().Split('\n').Select(line => line.Split('\t')[^1]));
        Assert.Equal(2, run.Error.Text.Split("(code file_missing)").Length - 1);
    }

    [Fact]
    public async Task Scan_FolderThatMayNotBeListed_IsARowAndTheScanGoesOn()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows() || Environment.IsPrivilegedProcess, "whoever runs this may list every folder: run it as an ordinary user");
        using CliRun run = new();
        string root = run.NewFolder("models"), closed = Directory.CreateDirectory(Path.Combine(root, "closed")).FullName;
        ModelSample.Write(Directory.CreateDirectory(Path.Combine(root, "good")).FullName);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(closed, UnixFileMode.None);

        Assert.Equal(2, await run.RunAsync("scan", root));

        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(closed, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Assert.Equal(["closed", "good"], run.Out.Text.TrimEnd().Split('\n').Select(line => line.Split('\t')[0]));
        Assert.Contains("closed: closed: what is in it can't be listed: ", run.Error.Text, StringComparison.Ordinal);
    }

    /// <summary>A model in a download cache is a folder of links; their own length was reported.</summary>
    [Fact]
    public async Task Scan_LinksToFiles_HasTheFilesSizes()
    {
        using CliRun run = new();
        string blobs = ModelSample.Write(run.NewFolder("blobs"), weightBytes: 5000), root = run.NewFolder("snapshot");
        File.CreateSymbolicLink(Path.Combine(root, "model.safetensors"), Path.Combine(blobs, "model.safetensors"));
        File.CreateSymbolicLink(Path.Combine(root, "model.gguf"), Path.Combine(blobs, "model.safetensors"));
        long bytes = new FileInfo(Path.Combine(blobs, "model.safetensors")).Length;

        Assert.Equal(ExitCode.Ok, await run.RunAsync("scan", "--json", root));

        JsonElement model = Assert.Single(JsonDocument.Parse(run.Out.Text).RootElement.EnumerateArray());
        Assert.Equal((bytes, bytes), (model.GetProperty("bytes").GetInt64(), model.GetProperty("foreign")[0].GetProperty("bytes").GetInt64()));
    }

    /// <summary>A row is a row, whatever a folder is called.</summary>
    [Fact]
    public async Task Scan_FolderWithALineInItsName_IsOneRow()
    {
        using CliRun run = new();
        string root = run.NewFolder("models");
        ModelSample.Write(Directory.CreateDirectory(Path.Combine(root, "a\nb\tc\u001b[31m")).FullName, weightBytes: 100);

        Assert.Equal(ExitCode.Ok, await run.RunAsync("scan", root));

        Assert.Matches(@"^a b c\tsafetensors\t\d+\t1\t100\tvalid\n$", run.Out.Text);
    }

    private static async Task BashAsync(string script, string folder)
    {
        using Process bash = Process.Start(new ProcessStartInfo("bash", ["-c", script]) { WorkingDirectory = folder })!;
        await bash.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, bash.ExitCode);
    }

    /// <summary>A file that nobody may read: who opens it fails.</summary>
    private static void MakeUnreadable(string path)
    {
        File.WriteAllText(path, "x");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, UnixFileMode.None);
    }
}
