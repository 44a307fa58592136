using System.CommandLine;
using TinyLlm.Cli.Api;

namespace TinyLlm.Cli.Commands;

/// <summary>What a user keeps under ids, of whatever kind: <c>list</c> writes a line for each, <c>rm</c> ends one of them.</summary>
internal sealed class EntryCommands(CliContext context, ConnectionOptions connection)
{
    /// <param name="description">For the help.</param>
    /// <param name="lines">One for each entry: its columns.</param>
    public Command List(string description, Func<TinyLlmClient, CancellationToken, Task<IEnumerable<string[]>>> lines)
    {
        Command command = new("list", description);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using TinyLlmClient client = connection.Connect(parsed);
            foreach (string[] columns in await lines(client, cancellationToken)) context.Screen.WriteLine(string.Join('\t', columns));
            return ExitCode.Ok;
        });
        return command;
    }

    /// <param name="description">For the help.</param>
    /// <param name="id">The id, for the help.</param>
    /// <param name="remove">Ends the entry with this id.</param>
    /// <param name="done">What is told, before the id, when it has ended.</param>
    public Command Rm(string description, string id, Func<TinyLlmClient, string, CancellationToken, Task> remove, string done)
    {
        Argument<string> entry = new("ID") { Description = id };
        Command command = new("rm", description) { entry };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using TinyLlmClient client = connection.Connect(parsed);
            await remove(client, parsed.GetRequiredValue(entry), cancellationToken);
            context.Screen.WriteErrorLine($"{done} {parsed.GetRequiredValue(entry)}");
            return ExitCode.Ok;
        });
        return command;
    }
}
