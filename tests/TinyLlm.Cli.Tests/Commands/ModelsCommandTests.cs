using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using TinyLlm.Cli.Tests.StandIn;

namespace TinyLlm.Cli.Tests.Commands;

public sealed class ModelsCommandTests
{
    private const string Models =
        """{"models":[{"owner":"al[red]ice","model":"st\u001b[31mories","version":3,"digest":"0123456789abcdef","architecture":"llama","parameters":260032,"bytes":1044984}]}""";

    [Fact]
    public async Task Models_OnATerminal_ForeignTextIsNeitherMarkupNorEscapes()
    {
        await using StandInHost host = await StandInHost.StartAsync(app => app.MapGet("/api/models", () => Results.Text(Models, "application/json")));
        using CliRun run = new CliRun { IsTerminal = true }.At(host);
        Assert.Equal(ExitCode.Ok, await run.RunAsync("models"));
        Assert.Contains("al[red]ice/stories@3", run.Out.Text, StringComparison.Ordinal);
        Assert.Contains("260,032", run.Out.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("\u001b[31m", run.Out.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Models_IntoAPipe_AreTabSeparated()
    {
        await using StandInHost host = await StandInHost.StartAsync(app => app.MapGet("/api/models", () => Results.Text(Models, "application/json")));
        using CliRun run = new CliRun().At(host);
        Assert.Equal(ExitCode.Ok, await run.RunAsync("models"));
        Assert.EndsWith("@3\tllama\t260032\t1044984\t0123456789abcdef", run.Out.Text.TrimEnd('\n'), StringComparison.Ordinal);
    }
}
