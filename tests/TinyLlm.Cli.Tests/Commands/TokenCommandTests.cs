using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using TinyLlm.Cli.Tests.StandIn;

namespace TinyLlm.Cli.Tests.Commands;

public sealed class TokenCommandTests
{
    [Fact]
    public async Task Token_Add_SendsWhatWasAsked_AndPrintsTheTextAlone()
    {
        JsonElement sent = default;
        await using StandInHost host = await StandInHost.StartAsync(app => app.MapPost("/api/tokens", (JsonElement body) =>
        {
            sent = body;
            return Results.Text("""{"id":"tok_1","token":"tlm_secret"}""", "application/json");
        }));
        using CliRun run = new CliRun().At(host);
        Assert.Equal(ExitCode.Ok, await run.RunAsync("token", "add", "ci", "--scope", "read", "--scope", "infer", "--model", "stories", "--expires", "2030-01-31"));
        Assert.Equal("""{"name":"ci","scopes":["read","infer"],"models":["stories"],"expires_at":"2030-01-31T00:00:00+00:00"}""", sent.ToString());
        Assert.Equal("tlm_secret\n", run.Out.Text);
        Assert.DoesNotContain("tlm_secret", run.Error.Text, StringComparison.Ordinal);

        Assert.Equal(ExitCode.Ok, await run.RunAsync("token", "add", "plain"));
        Assert.Equal("""{"name":"plain"}""", sent.ToString());
        Assert.Equal(ExitCode.Usage, await run.RunAsync("token", "add", "bad", "--expires", "tomorrow"));
    }

    [Fact]
    public async Task Token_ListRmRotate_CallTheirRoutes()
    {
        await using StandInHost host = await StandInHost.StartAsync(app =>
        {
            app.MapGet("/api/tokens", () => Results.Text(
                """{"tokens":[{"id":"tok_1","name":"first","scopes":["read","infer"],"models":null,"created_at":"2026-01-01T00:00:00Z","expires_at":null,"last_used_at":"2026-02-03T04:05:00Z"}]}""",
                "application/json"));
            app.MapDelete("/api/tokens/{id}", () => Results.NoContent());
            app.MapPost("/api/tokens/{id}/rotate", (string id, JsonElement body) => Results.Text(
                $$"""{"id":"{{id}}","token":"tlm_{{body.GetProperty("grace_seconds").GetInt32()}}","old_valid_until":"2026-01-01T00:01:00Z"}""", "application/json"));
        });
        using CliRun run = new CliRun().At(host);
        Assert.Equal(ExitCode.Ok, await run.RunAsync("token", "list"));
        Assert.Equal(ExitCode.Ok, await run.RunAsync("token", "rm", "tok_1"));
        Assert.Equal(ExitCode.Ok, await run.RunAsync("token", "rotate", "tok_1", "--grace", "60"));
        Assert.Equal("tok_1\tfirst\tread,infer\t*\tnever\t2026-02-03T04:05:00Z\ntlm_60\n", run.Out.Text);
        Assert.Equal(["GET /api/tokens", "DELETE /api/tokens/tok_1", "POST /api/tokens/tok_1/rotate"], host.Requests);
    }
}
