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
}
