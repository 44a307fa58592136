using System.CommandLine;
using System.Globalization;
using TinyLlm.Cli.Api;

namespace TinyLlm.Cli.Commands;

/// <summary><c>tinyllm token</c>: access tokens of one's own. A token's text goes to standard output, alone, and is shown only once.</summary>
internal static class TokenCommand
{
    public static Command Create(CliContext context, ConnectionOptions connection) => new("token", "Your access tokens")
    {
        CreateAdd(context, connection),
        CreateList(context, connection),
        CreateRm(context, connection),
        CreateRotate(context, connection),
    };

    private static Command CreateAdd(CliContext context, ConnectionOptions connection)
    {
        Argument<string> name = new("NAME") { Description = "What it is for" };
        Option<string[]> scopes = new("--scope") { Description = "read, infer, write or train; may be repeated (default: all that your own token has)", HelpName = "SCOPE" };
        Option<string[]> models = new("--model") { Description = "A model that it may be used with; may be repeated (default: all)", HelpName = "MODEL" };
        Option<string?> expires = ExpiryOption.Create();
        Command command = new("add", "Makes a token and prints it, which happens only once") { name, scopes, models, expires };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            NewToken wanted = new(parsed.GetRequiredValue(name), NonEmpty(parsed.GetValue(scopes)), NonEmpty(parsed.GetValue(models)), ExpiryOption.Read(parsed.GetValue(expires)));
            using TinyLlmClient client = connection.Connect(parsed);
            CreatedToken token = await client.CreateTokenAsync(wanted, cancellationToken);
            context.Screen.WriteErrorLine($"made token {token.Id}; its text, shown only once:");
            context.Screen.WriteLine(token.Token);
            return ExitCode.Ok;
        });
        return command;
    }

    private static Command CreateList(CliContext context, ConnectionOptions connection) => new EntryCommands(context, connection).List(
        "Lists your tokens: id, name, scopes, models, end, last use",
        async (client, cancellationToken) => (await client.ListTokensAsync(cancellationToken)).Select(token => (string[])
            [token.Id, token.Name, string.Join(',', token.Scopes), token.Models is null ? "*" : string.Join(',', token.Models), Time(token.ExpiresAt), Time(token.LastUsedAt)]));

    private static Command CreateRm(CliContext context, ConnectionOptions connection) => new EntryCommands(context, connection).Rm(
        "Ends a token; answers that run under it are cut within a second",
        "The token's id, as 'token list' tells it",
        (client, id, cancellationToken) => client.DeleteTokenAsync(id, cancellationToken),
        "ended token");

    private static Command CreateRotate(CliContext context, ConnectionOptions connection)
    {
        Argument<string> id = new("ID") { Description = "The token's id, as 'token list' tells it" };
        Option<int> grace = new("--grace") { Description = "Seconds for which the old secret stays valid (default 0)", HelpName = "SECONDS" };
        Command command = new("rotate", "Gives a token a fresh secret and prints it, which happens only once") { id, grace };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using TinyLlmClient client = connection.Connect(parsed);
            RotatedToken token = await client.RotateTokenAsync(parsed.GetRequiredValue(id), parsed.GetValue(grace), cancellationToken);
            context.Screen.WriteErrorLine($"rotated token {token.Id}; the old secret is valid until {Time(token.OldValidUntil)}; the new one, shown only once:");
            context.Screen.WriteLine(token.Token);
            return ExitCode.Ok;
        });
        return command;
    }

    private static string[]? NonEmpty(string[]? values) => values is { Length: > 0 } ? values : null;

    private static string Time(DateTimeOffset? moment) => moment?.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture) ?? "never";
}
