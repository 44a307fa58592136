using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using TinyLlm.Cli.Tests.StandIn;

namespace TinyLlm.Cli.Tests.Commands;

public sealed class LoginCommandTests
{
    [Fact]
    public async Task Login_TokenFromStandardInput_IsSavedForThatAddressOnly()
    {
        await using StandInHost host = await StartAsync();
        await using StandInHost other = await StartAsync();
        using CliRun run = new() { In = new StringReader("tlm_good\n") };
        Assert.Equal(ExitCode.Ok, await run.RunAsync("login", "--url", host.Url));
        Assert.Contains("as alice", run.Error.Text, StringComparison.Ordinal);
        Assert.Equal(host.Url, run.Store.Load().Url);

        Assert.Equal(ExitCode.Ok, await run.RunAsync("models"));
        Assert.Equal(ExitCode.Usage, await run.RunAsync("models", "--url", other.Url));
        Assert.Empty(other.Requests);
    }

    [Fact]
    public async Task Login_TokenFile_IsReadAndTrimmed()
    {
        await using StandInHost host = await StartAsync();
        using CliRun run = new();
        string file = Path.Combine(run.NewFolder("data"), "admin-token");
        await File.WriteAllTextAsync(file, "tlm_good\n", TestContext.Current.CancellationToken);
        Assert.Equal(ExitCode.Ok, await run.RunAsync("login", "--url", host.Url, "--token-file", file));
        Assert.Equal("tlm_good", run.Store.Load().Tokens[host.Url]);
    }

    [Fact]
    public async Task Login_RefusedToken_IsOneAndNothingIsSaved()
    {
        await using StandInHost host = await StartAsync();
        using CliRun run = new();
        Assert.Equal(ExitCode.Failed, await run.RunAsync("login", "--url", host.Url, "--token", "tlm_bad"));
        Assert.False(File.Exists(run.Store.FilePath));
    }

    [Fact]
    public async Task Login_Wait_AsksUntilTheHostIsReady()
    {
        int asked = 0;
        await using StandInHost host = await StandInHost.StartAsync(app =>
        {
            app.MapGet("/healthz/ready", () => Results.StatusCode(Interlocked.Increment(ref asked) < 3 ? 503 : 200));
            app.MapGet("/api/me", () => Results.Json(new { id = "alice" }));
        });
        using CliRun run = new();
        Assert.Equal(ExitCode.Ok, await run.RunAsync("login", "--url", host.Url, "--token", "tlm_good", "--wait", "60"));
        Assert.Equal(3, asked);
    }

    [Fact]
    public async Task Login_WaitEnds_IsOneAndSaysSo()
    {
        await using StandInHost host = await StandInHost.StartAsync(app => app.MapGet("/healthz/ready", () => Results.StatusCode(503)));
        using CliRun run = new();
        Assert.Equal(ExitCode.Failed, await run.RunAsync("login", "--url", host.Url, "--token", "tlm_good", "--wait", "1"));
        Assert.Contains("not ready within 1 s", run.Error.Text, StringComparison.Ordinal);
    }

    private static Task<StandInHost> StartAsync() => StandInHost.StartAsync(app =>
    {
        app.MapGet("/api/me", (HttpContext context) =>
            context.Request.Headers.Authorization == "Bearer tlm_good" ? Results.Json(new { id = "alice" }) : Results.StatusCode(401));
        app.MapGet("/api/models", (HttpContext context) =>
            context.Request.Headers.Authorization == "Bearer tlm_good" ? Results.Text("""{"models":[]}""", "application/json") : Results.StatusCode(401));
    });
}
