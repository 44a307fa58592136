using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using TinyLlm.Cli.Tests.StandIn;

namespace TinyLlm.Cli.Tests;

public sealed class CommandLineTests
{
    private const string Problem =
        """{"type":"about:blank","title":"Invalid","status":422,"detail":"the offsets\noverlap","code":"overlap","traceId":"00-abc","file":"model.safetensors","tensor":"\u001b[31mevil"}""";

    [Theory]
    [InlineData("push")]
    [InlineData("nonsense")]
    [InlineData("models", "--nonsense")]
    [InlineData("chat", "m", "hello", "--max-tokens", "many")]
    [InlineData("--url", "ftp://host", "models")]
    [InlineData("--url", "http://name:secret@host", "models")]
    [InlineData("push", "/no/such/folder/anywhere")]
    [InlineData("models", "--token", "two words")]
    [InlineData("rm", "../alice", "--yes", "--token", "t")]
    public async Task Run_BadUsage_IsTwoAndSaysWhy(params string[] args)
    {
        using CliRun run = new();
        Assert.Equal(ExitCode.Usage, await run.RunAsync(args));
        Assert.NotEmpty(run.Error.Text.Trim());
        Assert.DoesNotContain("   at ", run.Error.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_Help_IsZero()
    {
        using CliRun run = new();
        Assert.Equal(ExitCode.Ok, await run.RunAsync("push", "--help"));
        Assert.Contains("--name", run.Out.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_NotLoggedIn_IsTwoAndNamesTheRemedy()
    {
        using CliRun run = new();
        Assert.Equal(ExitCode.Usage, await run.RunAsync("models"));
        Assert.Contains("tinyllm login", run.Error.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_ProblemDetails_IsOneCleanLineWithCodeFileTensorAndTrace()
    {
        await using StandInHost host = await StandInHost.StartAsync(app => app.MapGet("/api/models", () => Results.Text(Problem, "application/problem+json", statusCode: 422)));
        using CliRun run = new CliRun().At(host);
        Assert.Equal(ExitCode.Failed, await run.RunAsync("models"));
        Assert.Equal("tinyllm: model.safetensors: tensor 'evil': the offsets overlap (status 422, code overlap, trace 00-abc)", run.Error.Text.TrimEnd('\n'));
    }

    [Fact]
    public async Task Run_OpenAiError_TellsMessageAndCode()
    {
        await using StandInHost host = await StandInHost.StartAsync(app => app.MapPost("/v1/completions", () => Results.Text(
            """{"error":{"message":"too long","type":"invalid_request_error","param":"prompt","code":"context_length_exceeded"}}""", statusCode: 400)));
        using CliRun run = new CliRun().At(host);
        Assert.Equal(ExitCode.Failed, await run.RunAsync("complete", "m", "@prompt"));
        Assert.Equal("tinyllm: too long (status 400, code context_length_exceeded)", run.Error.Text.TrimEnd('\n'));
    }

    [Theory]
    [InlineData("<html>not ours</html>")]
    [InlineData("[1,2]")]
    [InlineData("")]
    public async Task Run_ForeignErrorBody_TellsTheStatus(string body)
    {
        await using StandInHost host = await StandInHost.StartAsync(app => app.MapGet("/api/models", () => Results.Text(body, statusCode: 502)));
        using CliRun run = new CliRun().At(host);
        Assert.Equal(ExitCode.Failed, await run.RunAsync("models"));
        Assert.Contains("502", run.Error.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_NobodyListens_IsOneAndOneLine()
    {
        using CliRun run = new();
        Assert.Equal(ExitCode.Failed, await run.RunAsync("models", "--url", "http://127.0.0.1:1", "--token", "t"));
        Assert.Single(run.Error.Text.TrimEnd('\n').Split('\n'));
    }

    [Fact]
    public async Task Run_Redirect_IsRefusedAndTheTokenGoesNowhereElse()
    {
        await using StandInHost other = await StandInHost.StartAsync(app => app.MapGet("/api/models", () => """{"models":[]}"""));
        await using StandInHost host = await StandInHost.StartAsync(app => app.MapGet("/api/models", () => Results.Redirect($"{other.Url}/api/models")));
        using CliRun run = new CliRun().At(host);
        Assert.Equal(ExitCode.Failed, await run.RunAsync("models"));
        Assert.Empty(other.Requests);
    }
}
