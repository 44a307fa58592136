using System.CommandLine;
using TinyLlm.Cli.Api;

namespace TinyLlm.Cli.Commands;

/// <summary><c>tinyllm user add</c>: an operator makes a user.</summary>
internal static class UserCommand
{
    public static Command Create(CliContext context, ConnectionOptions connection) =>
        new("user", "Users of the host (for its operator)") { CreateAdd(context, connection) };

    private static Command CreateAdd(CliContext context, ConnectionOptions connection)
    {
        Argument<string> name = new("NAME") { Description = "The new user's name" };
        Option<bool> login = new("--login") { Description = "Go on as the new user: later commands use the new token" };
        Command command = new("add", "Makes a user and prints the token, which is shown only once") { name, login };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using TinyLlmClient client = connection.Connect(parsed);
            CreatedUser user = await client.CreateUserAsync(parsed.GetRequiredValue(name), cancellationToken);
            context.Screen.WriteErrorLine($"made user {user.Id}; the token, shown only once:");
            context.Screen.WriteLine(user.Token);
            if (!parsed.GetValue(login)) return ExitCode.Ok;
            Uri address = connection.Address(parsed);
            connection.Save(address, ConnectionOptions.CheckToken(user.Token));
            context.Screen.WriteErrorLine($"logged in at {ConnectionOptions.Key(address)} as {user.Id}");
            return ExitCode.Ok;
        });
        return command;
    }
}
