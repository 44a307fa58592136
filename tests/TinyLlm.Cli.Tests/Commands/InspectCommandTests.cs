using System.Text.Json;
using TinyLlm.Cli.Tests.StandIn;

namespace TinyLlm.Cli.Tests.Commands;

public sealed class InspectCommandTests
{
    [Fact]
    public async Task Inspect_ValidFileOrFolder_TellsWhatIsInIt()
    {
        using CliRun run = new();
        string folder = ModelSample.Write(run.NewFolder("model"));

        Assert.Equal(ExitCode.Ok, await run.RunAsync("inspect", folder));
        Assert.Equal(ExitCode.Ok, await run.RunAsync("inspect", Path.Combine(folder, "model.safetensors")));

        Assert.Equal(2, run.Out.Text.Split("model.safetensors: valid, ").Length - 1);
        Assert.Contains("1 tensors, 4,096 parameters (U8 4,096)", run.Out.Text, StringComparison.Ordinal);
        Assert.Empty(run.Error.Text);
    }

    [Fact]
    public async Task Inspect_InvalidFile_NamesCodeFileAndTensor()
    {
        using CliRun run = new();
        string folder = ModelSample.Write(run.NewFolder("model"));
        byte[] bytes = await File.ReadAllBytesAsync(Path.Combine(folder, "model.safetensors"), TestContext.Current.CancellationToken);
        await File.WriteAllBytesAsync(Path.Combine(folder, "model.safetensors"), bytes[..^1], TestContext.Current.CancellationToken);

        Assert.Equal(2, await run.RunAsync("inspect", folder));
        Assert.Equal(2, await run.RunAsync("inspect", "--json", folder));

        Assert.Contains("model.safetensors: ", run.Error.Text, StringComparison.Ordinal);
        JsonElement report = JsonDocument.Parse(run.Out.Text).RootElement;
        JsonElement fault = Assert.Single(report.GetProperty("faults").EnumerateArray());
        Assert.False(report.GetProperty("valid").GetBoolean());
        Assert.Equal("model.safetensors", fault.GetProperty("file").GetString());
        Assert.Matches("^[a-z][a-z0-9_]+$", fault.GetProperty("code").GetString());
        Assert.Contains($"(code {fault.GetProperty("code").GetString()})", run.Error.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Inspect_ShardThatTheIndexDoesNotKnow_IsInvalid()
    {
        using CliRun run = new();
        string folder = run.NewFolder("sharded");
        ModelSample.WriteWeights(folder, "model-00001-of-00002.safetensors", "a", 8);
        ModelSample.WriteWeights(folder, "model-00002-of-00002.safetensors", "b", 8);
        string index = Path.Combine(folder, "model.safetensors.index.json");
        await File.WriteAllTextAsync(
            index, """{"metadata":{},"weight_map":{"a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors"}}""", TestContext.Current.CancellationToken);
        Assert.Equal(ExitCode.Ok, await run.RunAsync("inspect", folder));

        await File.WriteAllTextAsync(
            index, """{"metadata":{},"weight_map":{"a":"model-00002-of-00002.safetensors","b":"model-00002-of-00002.safetensors"}}""", TestContext.Current.CancellationToken);

        Assert.Equal(2, await run.RunAsync("inspect", folder));
        Assert.Contains("(code ", run.Error.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Inspect_NothingToInspect_IsAnError()
    {
        using CliRun run = new();

        Assert.Equal(2, await run.RunAsync("inspect", run.NewFolder("empty")));
        Assert.Equal(2, await run.RunAsync("inspect", "no/such/path"));

        Assert.Contains("file_missing", run.Error.Text, StringComparison.Ordinal);
        Assert.Contains("neither a file nor a folder", run.Error.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Inspect_ShardThatIsMissing_NamesItOnceByFolderAndByIndex()
    {
        using CliRun run = new();
        string folder = run.NewFolder("sharded");
        ModelSample.WriteWeights(folder, "model-00001-of-00002.safetensors", "a", 8);
        string index = Path.Combine(folder, "model.safetensors.index.json");
        await File.WriteAllTextAsync(
            index, """{"metadata":{},"weight_map":{"a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors"}}""", TestContext.Current.CancellationToken);

        Assert.Equal(2, await run.RunAsync("inspect", folder));
        Assert.Equal(2, await run.RunAsync("inspect", index));

        const string Line = "tinyllm: model.safetensors.index.json: tensor 'b': the index places it in shard 'model-00002-of-00002.safetensors', which is not there: add the shard (code shard_missing)\n";
        Assert.Equal(Line + Line, run.Error.Text);
    }

    [Fact]
    public async Task Inspect_WhatIsNoFile_IsAFaultAndHangsNobody()
    {
        using CliRun run = new();
        string folder = ModelSample.Write(run.NewFolder("model"));
        OddFiles.Write(folder);

        Assert.Equal(2, await run.RunAsync("inspect", "--json", folder));

        JsonElement report = JsonDocument.Parse(run.Out.Text).RootElement;
        Assert.Equal("model.safetensors", Assert.Single(report.GetProperty("files").EnumerateArray()).GetProperty("name").GetString());
        Assert.Equal(
            OddFiles.Faults,
            report.GetProperty("faults").EnumerateArray().Select(fault => $"{fault.GetProperty("file").GetString()} {fault.GetProperty("code").GetString()}"));
        foreach (string fault in OddFiles.Faults.Where(fault => !fault.StartsWith("folder.", StringComparison.Ordinal)))
        {
            Assert.Equal(2, await run.RunAsync("inspect", Path.Combine(folder, fault.Split(' ')[0])));
            Assert.Contains($"(code {fault.Split(' ')[1]})", run.Error.Text, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("model.gguf", "unsupported")]
    [InlineData("pytorch_model.bin", "unsafe")]
    public async Task Inspect_AnotherFormat_IsNamedAndNotOpened(string name, string verdict)
    {
        using CliRun run = new();
        string folder = ModelSample.Write(run.NewFolder("model")), file = Path.Combine(folder, name);
        OddFiles.MakePipe(file); // who opens it never comes back

        Assert.Equal(ExitCode.Ok, await run.RunAsync("inspect", folder)); // SafeTensors beside it are valid all the same
        Assert.Equal(2, await run.RunAsync("inspect", file));

        Assert.Contains($"{name}: {verdict}, not opened\n", run.Error.Text, StringComparison.Ordinal);
        Assert.Contains($"tinyllm: {name}: by its name it is not SafeTensors", run.Error.Text, StringComparison.Ordinal);
        Assert.Contains("(code not_safetensors)", run.Error.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "file_too_short")]
    [InlineData("FFFFFFFFFFFFFF7F7B7D", "header_too_long")]
    [InlineData("47475546030000007B7D", "header_too_long")] // a GGUF by another name
    public async Task Inspect_NotSafeTensorsByItsBytes_NamesTheRule(string hex, string code)
    {
        using CliRun run = new();
        string file = Path.Combine(run.NewFolder("模型 ñ"), "模型.safetensors");
        await File.WriteAllBytesAsync(file, Convert.FromHexString(hex), TestContext.Current.CancellationToken);

        Assert.Equal(2, await run.RunAsync("inspect", file));

        Assert.Matches($"^tinyllm: 模型.safetensors: the (file|header) has .*: .*\\(code {code}\\)\n$", run.Error.Text);
        Assert.Empty(run.Out.Text);
    }

    [Theory]
    [InlineData("inspect", "--json", "no/such/path")]
    [InlineData("inspect", "--json", "")]
    [InlineData("inspect", "--json")]
    [InlineData("inspect", "--json", "a", "b")]
    [InlineData("scan", "--json", "no/such/path")]
    [InlineData("scan", "--json", "")]
    [InlineData("scan", "--json")]
    [InlineData("scan", "--json", "--nonsense")]
    public async Task Json_OfAnyFault_IsOneValueOnStandardOutput(params string[] args)
    {
        using CliRun run = new();

        Assert.Equal(ExitCode.Usage, await run.RunAsync(args));

        JsonElement report = JsonDocument.Parse(run.Out.Text).RootElement;
        string? fault = report.TryGetProperty("error", out JsonElement error) ? error.GetString() : report.GetProperty("faults")[0].GetProperty("code").GetString();
        Assert.False(string.IsNullOrEmpty(fault));
        if (report.TryGetProperty("valid", out JsonElement valid)) Assert.False(valid.GetBoolean());
    }
}
