using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using TinyLlm.Cli.Tests.StandIn;

namespace TinyLlm.Cli.Tests.Commands;

public sealed class VersionsCommandTests
{
    private const string Versions = """{"models":[],"versions":[{"owner":"alice","model":"stories","version":2,"digest":"ab","bytes":7,"current":false,"signature":{"state":"trusted","key":"00"}},{"owner":"alice","model":"stories","version":1,"digest":"cd","bytes":6,"current":true}]}""";

    [Fact]
    public async Task Versions_OfAModel_AreTabSeparatedAndSayWhichIsCurrent()
    {
        await using StandInHost host = await StartAsync();
        using CliRun run = new CliRun().At(host);

        Assert.Equal(ExitCode.Ok, await run.RunAsync("versions", "alice/stories"));

        Assert.Equal("2\t\t7\tab\ttrusted\n1\tcurrent\t6\tcd\t", run.Out.Text.ReplaceLineEndings("\n").TrimEnd('\n'));
    }

    [Fact]
    public async Task Rollback_ToAVersion_AsksForIt()
    {
        await using StandInHost host = await StartAsync();
        using CliRun run = new CliRun().At(host);

        Assert.Equal(ExitCode.Ok, await run.RunAsync("rollback", "alice/stories", "1"));
        Assert.Equal(ExitCode.Usage, await run.RunAsync("rollback", "alice/stories", "first"));

        Assert.Equal(["PUT /api/models/alice/stories/current"], host.Requests);
    }

    private static Task<StandInHost> StartAsync() => StandInHost.StartAsync(app =>
    {
        app.MapGet("/api/models/alice/stories/versions", () => Results.Text(Versions, "application/json"));
        app.MapPut("/api/models/alice/stories/current", () => Results.Text("{}", "application/json"));
    });
}
