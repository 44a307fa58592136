using System.CommandLine;
using TinyLlm.Cli.Api;
using TinyLlm.Cli.Terminal;

namespace TinyLlm.Cli.Commands;

/// <summary><c>tinyllm rm</c>: deletes a model with all its versions, or one version of it, after asking.</summary>
internal static class RmCommand
{
    public static Command Create(CliContext context, ConnectionOptions connection)
    {
        Argument<string> model = new("MODEL") { Description = "One of your models: model, or model@version for that version alone" };
        Option<bool> yes = new("--yes", "-y") { Description = "Do not ask" };
        Command command = new("rm", "Deletes a model") { model, yes };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            string name = parsed.GetRequiredValue(model);
            using TinyLlmClient client = connection.Connect(parsed);
            if (!parsed.GetValue(yes) && !await ConfirmAsync(context, name, cancellationToken))
            {
                context.Screen.WriteErrorLine("nothing was deleted");
                return ExitCode.Failed;
            }
            await client.DeleteModelAsync(name, cancellationToken);
            context.Screen.WriteErrorLine($"deleted {name}");
            return ExitCode.Ok;
        });
        return command;
    }

    private static async Task<bool> ConfirmAsync(CliContext context, string name, CancellationToken cancellationToken)
    {
        if (!context.Screen.InIsTerminal) throw new UsageException("rm asks before it deletes, and nobody is there to answer: add --yes");
        string what = ControlFilter.Clean(name, singleLine: true) + (name.Contains('@') ? "" : " and all its versions");
        context.Screen.Error.Write($"Delete {what}? [y/N] ");
        string? answer = await Task.Run(context.Screen.In.ReadLine, cancellationToken).WaitAsync(cancellationToken);
        return answer?.Trim().ToUpperInvariant() is "Y" or "YES";
    }
}
