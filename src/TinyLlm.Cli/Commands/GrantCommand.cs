using System.CommandLine;
using TinyLlm.Cli.Api;

namespace TinyLlm.Cli.Commands;

/// <summary><c>tinyllm grant</c> and <c>tinyllm revoke</c>: who else may use one's models.</summary>
internal static class GrantCommand
{
    public static Command Create(CliContext context, ConnectionOptions connection)
    {
        (Argument<string> model, Argument<string> user) = Arguments();
        Option<string[]> rights = new("--right") { Description = "infer, fine_tune or download; may be repeated (default: infer)", HelpName = "RIGHT" };
        Option<string?> expires = ExpiryOption.Create();
        Option<long?> budget = new("--token-budget") { Description = "Tokens that may be used in all (default: no bound)", HelpName = "N" };
        Command command = new("grant", "Lets another user, or everyone on the host, use one of your models") { model, user, rights, expires, budget };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            NewGrant grant = new(
                parsed.GetValue(rights) is { Length: > 0 } named ? named : ["infer"], ExpiryOption.Read(parsed.GetValue(expires)), parsed.GetValue(budget));
            using TinyLlmClient client = connection.Connect(parsed);
            string name = await FullNameAsync(client, parsed.GetRequiredValue(model), cancellationToken);
            await client.GrantAsync(name, parsed.GetRequiredValue(user), grant, cancellationToken);
            context.Screen.WriteErrorLine($"granted {string.Join(", ", grant.Rights!)} on {name} to {parsed.GetRequiredValue(user)}"); // set above
            return ExitCode.Ok;
        });
        return command;
    }

    public static Command CreateRevoke(CliContext context, ConnectionOptions connection)
    {
        (Argument<string> model, Argument<string> user) = Arguments();
        Command command = new("revoke", "Takes a grant back; answers that run under it are cut within a second") { model, user };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using TinyLlmClient client = connection.Connect(parsed);
            string name = await FullNameAsync(client, parsed.GetRequiredValue(model), cancellationToken);
            await client.RevokeAsync(name, parsed.GetRequiredValue(user), cancellationToken);
            context.Screen.WriteErrorLine($"revoked what {parsed.GetRequiredValue(user)} had on {name}");
            return ExitCode.Ok;
        });
        return command;
    }

    private static (Argument<string> Model, Argument<string> User) Arguments() =>
        (new("MODEL") { Description = "One of your models" }, new("USER") { Description = "Another user, or '*' for everyone on the host" });

    /// <summary>Grants are on "owner/model"; whoever writes "model" means an own one.</summary>
    internal static async Task<string> FullNameAsync(TinyLlmClient client, string model, CancellationToken cancellationToken) =>
        model.Contains('/') ? model : $"{(await client.GetCallerAsync(cancellationToken)).Id}/{model}";
}
