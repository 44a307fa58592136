using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using TinyLlm.Cli.Tests.StandIn;

namespace TinyLlm.Cli.Tests.Commands;

public sealed class RmCommandTests
{
    [Theory]
    [InlineData("y\n", ExitCode.Ok, 1)]
    [InlineData("n\n", ExitCode.Failed, 0)]
    [InlineData("", ExitCode.Failed, 0)]
    public async Task Rm_OnATerminal_DeletesOnlyAfterYes(string typed, int exitCode, int requests)
    {
        await using StandInHost host = await StartAsync();
        using CliRun run = new CliRun { IsTerminal = true, In = new StringReader(typed) }.At(host);
        Assert.Equal(exitCode, await run.RunAsync("rm", "stories"));
        Assert.Equal(requests, host.Requests.Count);
    }

    [Fact]
    public async Task Rm_NobodyToAsk_IsTwoUnlessYes()
    {
        await using StandInHost host = await StartAsync();
        using CliRun run = new CliRun().At(host);
        Assert.Equal(ExitCode.Usage, await run.RunAsync("rm", "stories"));
        Assert.Empty(host.Requests);
        Assert.Equal(ExitCode.Ok, await run.RunAsync("rm", "alice/stories", "--yes"));
        Assert.Equal(ExitCode.Ok, await run.RunAsync("rm", "alice/stories@2", "--yes"));
        Assert.Equal(["DELETE /v1/models/alice/stories", "DELETE /v1/models/alice/stories@2"], host.Requests);
    }

    private static Task<StandInHost> StartAsync() =>
        StandInHost.StartAsync(app => app.MapDelete("/v1/models/{**id}", () => Results.Text("""{"deleted":true}""", "application/json")));
}
