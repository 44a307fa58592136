using System.CommandLine;
using System.CommandLine.Invocation;
using System.Text.Json;
using TinyLlm.Cli.Api;
using TinyLlm.Cli.Commands;

namespace TinyLlm.Cli;

/// <summary>The root command, and the one table from faults to exit codes. A fault is one line on standard error, never a stack trace.</summary>
internal static class CommandLine
{
    /// <summary>Parses and runs one command line; answers the process's exit code.</summary>
    public static async Task<int> RunAsync(IReadOnlyList<string> args, CliContext context)
    {
        // A prompt may begin with '@': it is text, not the name of a file of arguments.
        ParserConfiguration parsing = new() { ResponseFileTokenReplacer = null };
        ParseResult parsed = CreateRoot(context).Parse(args, parsing);
        InvocationConfiguration invocation = new()
        {
            // The help that a wrong command line gets is no result.
            Output = parsed.Action is ParseErrorAction ? context.Screen.Error : context.Screen.Out,
            Error = context.Screen.Error,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null, // Interrupts handles signals
        };
        try
        {
            int code = await parsed.InvokeAsync(invocation, context.Interrupts.Program);
            if (parsed.Action is not ParseErrorAction) return code;
            AnswerInJson(string.Join(' ', parsed.Errors.Select(error => error.Message)));
            return ExitCode.Usage;
        }
        catch (UsageException fault)
        {
            return Fail(fault.Message, ExitCode.Usage);
        }
        catch (ApiException fault)
        {
            return Fail(fault.ToLine(), ExitCode.Failed);
        }
        catch (OperationCanceledException) when (context.Interrupts.Program.IsCancellationRequested)
        {
            return Fail("interrupted", ExitCode.Interrupted);
        }
        catch (Exception fault) when (ApiException.IsNetwork(fault))
        {
            return Fail($"the connection failed: {fault.Message}", ExitCode.Failed);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return Fail(fault.Message, ExitCode.Usage);
        }
        catch (Exception fault)
        {
            return Fail($"a fault of tinyllm itself, please report it: {fault.GetType().Name}: {fault.Message}", ExitCode.Failed);
        }

        int Fail(string line, int code)
        {
            context.Screen.WriteErrorLine($"tinyllm: {line}");
            AnswerInJson(line);
            return code;
        }

        // Who asked for JSON gets JSON, whatever happened.
        void AnswerInJson(string fault)
        {
            if (!WantsJson(parsed)) return;
            try
            {
                context.Screen.Out.WriteLine($$"""{"error":"{{JsonEncodedText.Encode(fault)}}"}""");
            }
            catch (IOException)
            {
                // Standard output may be what failed; standard error has the fault.
            }
        }
    }

    private static RootCommand CreateRoot(CliContext context)
    {
        ConnectionOptions connection = new(context);
        return new RootCommand("Talks to a TinyLlm host: log in, push models, chat.")
        {
            connection.Url,
            connection.Token,
            LoginCommand.Create(context, connection),
            UserCommand.Create(context, connection),
            TokenCommand.Create(context, connection),
            TrustCommand.Create(context, connection),
            PushCommand.Create(context, connection),
            ModelsCommand.Create(context, connection),
            VersionsCommand.Create(context, connection),
            VersionsCommand.CreateRollback(context, connection),
            RmCommand.Create(context, connection),
            ExportCommand.Create(context, connection),
            InspectCommand.Create(context),
            VerifyCommand.Create(context),
            ScanCommand.Create(context),
            GrantCommand.Create(context, connection),
            GrantCommand.CreateRevoke(context, connection),
            ChatCommand.Create(context, connection),
            CompleteCommand.Create(context, connection),
            TokenizeCommand.Create(context),
            DetokenizeCommand.Create(context),
            RenderCommand.Create(context),
            AuditCommand.Create(context, connection),
            ReceiptCommand.Create(context),
            PsCommand.Create(context, connection),
        };
    }

    private static bool WantsJson(ParseResult parsed) =>
        parsed.CommandResult.Command.Options.FirstOrDefault(option => option.Name == "--json") is { } json && parsed.GetResult(json) is { Implicit: false };
}
