using System.CommandLine;
using TinyLlm.Cli.Api;
using TinyLlm.Cli.Inspection;

namespace TinyLlm.Cli.Commands;

/// <summary><c>tinyllm trust</c>: whose signatures of one's models count.</summary>
internal static class TrustCommand
{
    public static Command Create(CliContext context, ConnectionOptions connection) => new("trust", "Public keys whose signatures of your models you trust")
    {
        CreateAdd(context, connection),
        CreateList(context, connection),
        CreateRm(context, connection),
        CreateRequire(context, connection),
    };

    private static Command CreateAdd(CliContext context, ConnectionOptions connection)
    {
        Argument<string> name = new("NAME") { Description = "Whose key it is" };
        Argument<string> file = new("FILE") { Description = "The public key, as PEM" };
        Command command = new("add", "Trusts a key, for what is pushed from now on, and prints its id") { name, file };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            string pem = SignatureFile.ReadKey(parsed.GetRequiredValue(file)).Pem;
            using TinyLlmClient client = connection.Connect(parsed);
            TrustedKeyEntry key = await client.AddTrustedKeyAsync(new NewTrustedKey(parsed.GetRequiredValue(name), pem), cancellationToken);
            context.Screen.WriteLine(key.Id);
            return ExitCode.Ok;
        });
        return command;
    }

    private static Command CreateList(CliContext context, ConnectionOptions connection) => new EntryCommands(context, connection).List(
        "Lists the keys that you trust: id, name",
        async (client, cancellationToken) =>
        {
            TrustPolicy trust = await client.GetTrustAsync(cancellationToken);
            Tell(context, trust);
            return (trust.Keys ?? []).Select(key => (string[])[key.Id, key.Name]);
        });

    private static Command CreateRm(CliContext context, ConnectionOptions connection) => new EntryCommands(context, connection).Rm(
        "Trusts a key no more, for versions that are published already too",
        "The key's id, as 'trust list' tells it",
        (client, id, cancellationToken) => client.RemoveTrustedKeyAsync(id, cancellationToken),
        "no longer trusted:");

    private static Command CreateRequire(CliContext context, ConnectionOptions connection)
    {
        Argument<string> required = new("on|off") { Description = "Whether models without a signature by a trusted key are refused" };
        required.AcceptOnlyFromAmong("on", "off");
        Command command = new("require", "Asks for a trusted signature of every model, or no longer") { required };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using TinyLlmClient client = connection.Connect(parsed);
            Tell(context, await client.SetTrustAsync(parsed.GetRequiredValue(required) == "on", cancellationToken));
            return ExitCode.Ok;
        });
        return command;
    }

    private static void Tell(CliContext context, TrustPolicy trust) =>
        context.Screen.WriteErrorLine(trust.RequireTrustedSignature ? "a model needs a signature by one of these keys" : "a model needs no signature");
}
