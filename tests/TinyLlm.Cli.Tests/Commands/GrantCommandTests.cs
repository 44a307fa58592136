using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using TinyLlm.Cli.Tests.StandIn;

namespace TinyLlm.Cli.Tests.Commands;

public sealed class GrantCommandTests
{
    [Fact]
    public async Task Grant_AndRevoke_NameOwnerModelAndUser()
    {
        JsonElement sent = default;
        await using StandInHost host = await StandInHost.StartAsync(app =>
        {
            app.MapGet("/api/me", () => Results.Text("""{"id":"alice"}""", "application/json"));
            app.MapPut("/api/models/{owner}/{model}/grants/{user}", (JsonElement body) =>
            {
                sent = body;
                return Results.Text("{}", "application/json");
            });
            app.MapDelete("/api/models/{owner}/{model}/grants/{user}", () => Results.NoContent());
        });
        using CliRun run = new CliRun().At(host);
        Assert.Equal(ExitCode.Ok, await run.RunAsync("grant", "stories", "bob", "--right", "infer", "--right", "download", "--token-budget", "5000", "--expires", "2030-01-31"));
        Assert.Equal("""{"rights":["infer","download"],"expires_at":"2030-01-31T00:00:00+00:00","token_budget":5000}""", sent.ToString());
        Assert.Equal(ExitCode.Ok, await run.RunAsync("grant", "alice/stories", "*"));
        Assert.Equal("""{"rights":["infer"]}""", sent.ToString());
        Assert.Equal(ExitCode.Ok, await run.RunAsync("revoke", "alice/stories", "bob"));
        Assert.Equal(
            ["GET /api/me", "PUT /api/models/alice/stories/grants/bob", "PUT /api/models/alice/stories/grants/*", "DELETE /api/models/alice/stories/grants/bob"],
            host.Requests);
        Assert.Equal(ExitCode.Usage, await run.RunAsync("grant", "alice/..", "bob"));
        Assert.Equal("", run.Out.Text);
    }
}
