using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using TinyLlm.Cli.Tests.StandIn;

namespace TinyLlm.Cli.Tests.Commands;

public sealed class PsCommandTests
{
    private const string Resident =
        """{"models":[{"model":"a/st[red]","owner":"a","version_id":"abc","silo":"10.0.0.1:1@2","bytes":1044984,"precision":"f32","streams":2,"expires_at":"2030-01-31T12:00:00+00:00","pinned":false}],"silent":["10.0.0.1:3@4"]}""";

    [Fact]
    public async Task Ps_OnATerminal_IsATable_AndASilentSiloIsNamed()
    {
        await using StandInHost host = await StandInHost.StartAsync(app => app.MapGet("/api/admin/models/resident", () => Results.Text(Resident, "application/json")));
        using CliRun run = new CliRun { IsTerminal = true }.At(host);
        Assert.Equal(ExitCode.Ok, await run.RunAsync("ps"));
        foreach (string part in (string[])["a/st[red]", "1.04 MB", "f32", "2030-01-31"]) Assert.Contains(part, run.Out.Text, StringComparison.Ordinal);
        Assert.Contains("10.0.0.1:3@4 did not answer", run.Error.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ps_IntoAPipe_IsTabSeparated()
    {
        await using StandInHost host = await StandInHost.StartAsync(app => app.MapGet("/api/admin/models/resident", () => Results.Text(Resident, "application/json")));
        using CliRun run = new CliRun().At(host);
        Assert.Equal(ExitCode.Ok, await run.RunAsync("ps"));
        Assert.Equal("a/st[red]\ta\t10.0.0.1:1@2\t1044984\tf32\t2\t2030-01-31 12:00:00Z", run.Out.Text.TrimEnd('\n'));
    }

    [Fact]
    public async Task Ps_Json_IsWhatTheApiAnswers()
    {
        await using StandInHost host = await StandInHost.StartAsync(app => app.MapGet("/api/admin/models/resident", () => Results.Text(Resident, "application/json")));
        using CliRun run = new CliRun().At(host);
        Assert.Equal(ExitCode.Ok, await run.RunAsync("ps", "--json"));
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(Resident), JsonNode.Parse(run.Out.Text)), run.Out.Text);
    }
}
