using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using TinyLlm.Cli.Tests.StandIn;

namespace TinyLlm.Cli.Tests.Commands;

public sealed class ChatCommandTests
{
    private const string Evil = "one\u001b[2J\u001b]0;owned\u0007 two\r\u202e";

    [Fact]
    public async Task Chat_EscapesFromAModelOnATerminal_AreStripped()
    {
        await using StandInHost host = await AnswersAsync(StandInHost.Piece(Evil), StandInHost.Finish, StandInHost.Done);
        using CliRun run = new CliRun { IsTerminal = true }.At(host);
        Assert.Equal(ExitCode.Ok, await run.RunAsync("chat", "m", "hello"));
        Assert.Equal("one]0;owned two\n", run.Out.Text);
    }

    [Fact]
    public async Task Chat_IntoAPipe_IsTheAnswerAsItIs()
    {
        await using StandInHost host = await AnswersAsync(StandInHost.Piece(Evil), StandInHost.Finish, StandInHost.Done);
        using CliRun run = new CliRun { In = new StringReader("piped in\n") }.At(host);
        Assert.Equal(ExitCode.Ok, await run.RunAsync("chat", "m"));
        Assert.Equal(Evil + "\n", run.Out.Text);
    }

    [Fact]
    public async Task Chat_MalformedEvent_IsOneAndNeverLooksWhole()
    {
        await using StandInHost host = await AnswersAsync(StandInHost.Piece("Once"), "{not json");
        using CliRun run = new CliRun().At(host);
        Assert.Equal(ExitCode.Failed, await run.RunAsync("chat", "m", "hello"));
        Assert.Equal("Once\n", run.Out.Text);
        Assert.Contains("cut off", run.Error.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Chat_StreamEndsEarly_IsOne()
    {
        foreach (string[] events in (string[][])[[StandInHost.Piece("Once")], [StandInHost.Piece("Once"), StandInHost.Finish], [StandInHost.Piece("Once"), StandInHost.Done], []])
        {
            await using StandInHost host = await AnswersAsync(events);
            using CliRun run = new CliRun().At(host);
            Assert.Equal(ExitCode.Failed, await run.RunAsync("chat", "m", "hello"));
            Assert.Contains("cut off", run.Error.Text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Chat_ErrorEvent_TellsTheServersMessage()
    {
        await using StandInHost host = await AnswersAsync(
            StandInHost.Piece("Once"), """{"error":{"message":"the device failed","type":"server_error","param":null,"code":"internal"}}""");
        using CliRun run = new CliRun().At(host);
        Assert.Equal(ExitCode.Failed, await run.RunAsync("chat", "m", "hello"));
        Assert.Contains("the device failed", run.Error.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Chat_CommentsAndUsageEvents_AreNotText()
    {
        await using StandInHost host = await StandInHost.StartAsync(app => app.MapPost("/v1/chat/completions", async (HttpContext context) =>
        {
            await context.Response.WriteAsync(": ping\n\n");
            await StandInHost.WriteEventsAsync(
                context, StandInHost.Piece("Once"), StandInHost.Finish, """{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}}""", StandInHost.Done);
        }));
        using CliRun run = new CliRun().At(host);
        Assert.Equal(ExitCode.Ok, await run.RunAsync("chat", "m", "hello"));
        Assert.Equal("Once\n", run.Out.Text);
    }

    [Fact]
    public async Task Chat_Conversation_SendsWhatWasSaidBefore()
    {
        List<string> bodies = [];
        await using StandInHost host = await StandInHost.StartAsync(app => app.MapPost("/v1/chat/completions", async (HttpContext context) =>
        {
            bodies.Add(await new StreamReader(context.Request.Body).ReadToEndAsync());
            await StandInHost.WriteEventsAsync(context, StandInHost.Piece($"answer {bodies.Count}"), StandInHost.Finish, StandInHost.Done);
        }));
        using CliRun run = new CliRun { IsTerminal = true, In = new StringReader("first\n\nsecond\n/exit\nnever\n") }.At(host);
        Assert.Equal(ExitCode.Ok, await run.RunAsync("chat", "m", "--system", "be brief", "--seed", "7", "--temperature", "0.5"));
        Assert.Equal("answer 1\nanswer 2\n", run.Out.Text);

        using JsonDocument second = JsonDocument.Parse(bodies[1]);
        Assert.Equal(
            ["system:be brief", "user:first", "assistant:answer 1", "user:second"],
            second.RootElement.GetProperty("messages").EnumerateArray().Select(m => $"{m.GetProperty("role").GetString()}:{m.GetProperty("content").GetString()}"));
        Assert.Equal(7, second.RootElement.GetProperty("seed").GetInt64());
        Assert.Equal(0.5, second.RootElement.GetProperty("temperature").GetDouble());
        Assert.False(second.RootElement.TryGetProperty("top_p", out _));
    }

    [Fact]
    public async Task Chat_InterruptInAConversation_EndsTheAnswerAndNotTheProgram()
    {
        TaskCompletionSource disconnected = new(TaskCreationOptions.RunContinuationsAsynchronously);
        int asked = 0;
        await using StandInHost host = await StandInHost.StartAsync(app => app.MapPost("/v1/chat/completions", async (HttpContext context) =>
        {
            if (++asked > 1)
            {
                await StandInHost.WriteEventsAsync(context, StandInHost.Piece("second"), StandInHost.Finish, StandInHost.Done);
                return;
            }
            await StandInHost.WriteEventsAsync(context, StandInHost.Piece("endless"));
            using CancellationTokenRegistration gone = context.RequestAborted.Register(disconnected.SetResult);
            await disconnected.Task;
        }));
        using CliRun run = new CliRun { IsTerminal = true, In = new StringReader("one\ntwo\n") }.At(host);
        Task<int> conversation = run.RunAsync("chat", "m");
        await run.Out.SeenAsync("endless");
        Assert.True(run.Interrupts.Interrupt());
        await disconnected.Task;
        Assert.Equal(ExitCode.Ok, await conversation);
        Assert.Equal("endless\nsecond\n", run.Out.Text);
    }

    [Fact]
    public async Task Chat_InterruptOfOneMessage_EndsTheProgram()
    {
        await using StandInHost host = await StandInHost.StartAsync(app => app.MapPost("/v1/chat/completions", async (HttpContext context) =>
        {
            await StandInHost.WriteEventsAsync(context, StandInHost.Piece("endless"));
            TaskCompletionSource disconnected = new(TaskCreationOptions.RunContinuationsAsynchronously);
            using CancellationTokenRegistration gone = context.RequestAborted.Register(disconnected.SetResult);
            await disconnected.Task;
        }));
        using CliRun run = new CliRun().At(host);
        Task<int> answer = run.RunAsync("chat", "m", "hello");
        await run.Out.SeenAsync("endless");
        Assert.True(run.Interrupts.Interrupt());
        Assert.Equal(ExitCode.Interrupted, await answer);
        Assert.False(run.Interrupts.Interrupt()); // the next one is the system's
    }

    private static Task<StandInHost> AnswersAsync(params string[] events) => StandInHost.StartAsync(app =>
        app.MapPost("/v1/chat/completions", (HttpContext context) => StandInHost.WriteEventsAsync(context, events)));
}
