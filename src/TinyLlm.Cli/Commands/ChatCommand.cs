using System.CommandLine;
using System.Text;
using TinyLlm.Cli.Api;
using TinyLlm.Cli.Terminal;

namespace TinyLlm.Cli.Commands;

/// <summary>
/// <c>tinyllm chat</c>: one message given as argument or piped in, or a conversation on a terminal. In a conversation Ctrl-C ends the answer
/// that is being written and leaves the prompt; a fault of one answer is told and the conversation goes on.
/// </summary>
internal static class ChatCommand
{
    public static Command Create(CliContext context, ConnectionOptions connection)
    {
        Argument<string> model = new("MODEL") { Description = "model, owner/model or owner/model@version" };
        Argument<string?> message = new("MESSAGE") { Description = "What to say (by default: standard input)", Arity = ArgumentArity.ZeroOrOne };
        Option<string?> system = new("--system") { Description = "Instructions that come before the conversation", HelpName = "TEXT" };
        GenerationOptions generation = new();
        Command command = new("chat", "Talks to a model") { model, message, system };
        generation.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using TinyLlmClient client = connection.Connect(parsed);
            AnswerRequest request = generation.Request(parsed, parsed.GetRequiredValue(model));
            List<Message> messages = parsed.GetValue(system) is string instructions ? [new Message("system", instructions)] : [];
            string? text = parsed.GetValue(message);
            if (text is null && context.Screen.InIsTerminal)
            {
                await ConverseAsync(context, client, request, messages, cancellationToken);
                return ExitCode.Ok;
            }
            text ??= (await context.Screen.In.ReadToEndAsync(cancellationToken)).TrimEnd('\r', '\n');
            if (text.Length == 0) throw new UsageException("there is nothing to say: give MESSAGE, or pipe one in");
            messages.Add(new Message("user", text));
            await AnswerAsync(context, client, request with { Messages = messages }, new StringBuilder(), cancellationToken);
            return ExitCode.Ok;
        });
        return command;
    }

    private static async Task ConverseAsync(
        CliContext context, TinyLlmClient client, AnswerRequest request, List<Message> messages, CancellationToken cancellationToken)
    {
        context.Screen.WriteErrorLine("Ctrl-C ends an answer, Ctrl-D or /exit the conversation.");
        while (true)
        {
            context.Screen.Error.Write("> ");
            // A read from a terminal can't be cancelled: the wait for it is, and the process ends while the read is pending.
            string? line = await Task.Run(context.Screen.In.ReadLine, cancellationToken).WaitAsync(cancellationToken);
            if (line is null or "/exit") return;
            if (string.IsNullOrWhiteSpace(line)) continue;
            messages.Add(new Message("user", line));
            string said = await AnswerTurnAsync(context, client, request with { Messages = messages }, cancellationToken);
            if (said.Length > 0) messages.Add(new Message("assistant", said));
            else messages.RemoveAt(messages.Count - 1); // as if it had not been asked: templates want turns to alternate
        }
    }

    // What was said, whole or cut by Ctrl-C or a fault.
    private static async Task<string> AnswerTurnAsync(CliContext context, TinyLlmClient client, AnswerRequest request, CancellationToken cancellationToken)
    {
        StringBuilder said = new();
        CancellationTokenSource answer = context.Interrupts.BeginAnswer();
        try
        {
            await AnswerAsync(context, client, request, said, answer.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            context.Screen.WriteErrorLine("(answer ended)");
        }
        catch (ApiException fault)
        {
            context.Screen.WriteErrorLine($"tinyllm: {fault.ToLine()}");
        }
        catch (Exception fault) when (ApiException.IsNetwork(fault))
        {
            context.Screen.WriteErrorLine($"tinyllm: the connection failed: {fault.Message}");
        }
        finally
        {
            context.Interrupts.EndAnswer(answer);
        }
        return said.ToString();
    }

    private static async Task AnswerAsync(
        CliContext context, TinyLlmClient client, AnswerRequest request, StringBuilder said, CancellationToken cancellationToken)
    {
        AnswerWriter answer = context.Screen.BeginAnswer();
        try
        {
            await foreach (string piece in client.AnswerAsync(request, cancellationToken))
            {
                answer.Write(piece);
                said.Append(piece);
            }
        }
        finally
        {
            answer.End();
        }
    }
}
