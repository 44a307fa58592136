using System.CommandLine;
using TinyLlm.Cli.Api;
using TinyLlm.Cli.Terminal;

namespace TinyLlm.Cli.Commands;

/// <summary><c>tinyllm complete</c>: a prompt's continuation, as it comes.</summary>
internal static class CompleteCommand
{
    public static Command Create(CliContext context, ConnectionOptions connection)
    {
        Argument<string> model = new("MODEL") { Description = "model, owner/model or owner/model@version" };
        Argument<string> prompt = new("PROMPT") { Description = "The text to continue" };
        GenerationOptions generation = new();
        Command command = new("complete", "Continues a text") { model, prompt };
        generation.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using TinyLlmClient client = connection.Connect(parsed);
            AnswerRequest request = generation.Request(parsed, parsed.GetRequiredValue(model)) with { Prompt = parsed.GetRequiredValue(prompt) };
            AnswerWriter answer = context.Screen.BeginAnswer();
            try
            {
                await foreach (string piece in client.AnswerAsync(request, cancellationToken)) answer.Write(piece);
            }
            finally
            {
                answer.End();
            }
            return ExitCode.Ok;
        });
        return command;
    }
}
