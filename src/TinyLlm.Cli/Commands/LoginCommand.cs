using System.CommandLine;
using TinyLlm.Cli.Api;

namespace TinyLlm.Cli.Commands;

/// <summary><c>tinyllm login</c>: checks a token against the host and keeps it.</summary>
internal static class LoginCommand
{
    private static readonly TimeSpan ReadyPoll = TimeSpan.FromMilliseconds(250);

    public static Command Create(CliContext context, ConnectionOptions connection)
    {
        Option<string?> tokenFile = new("--token-file") { Description = "File that holds the token, such as DATA/admin-token", HelpName = "FILE" };
        Option<int> wait = new("--wait") { Description = "Wait this long for the host to become ready", HelpName = "SECONDS" };
        Command command = new("login", "Checks an access token and keeps it for later commands") { tokenFile, wait };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            if (parsed.GetValue(connection.Token) is not null && parsed.GetValue(tokenFile) is not null)
                throw new UsageException("give either --token or --token-file");
            Uri address = connection.Address(parsed);
            await WaitAsync(context, address, TimeSpan.FromSeconds(parsed.GetValue(wait)), cancellationToken);

            string token = await ReadTokenAsync(context, parsed.GetValue(connection.Token), parsed.GetValue(tokenFile), parsed, connection);
            using TinyLlmClient client = new(address, token, context.Time);
            string who = await IdentifyAsync(client, cancellationToken);
            connection.Save(address, token);
            context.Screen.WriteErrorLine($"logged in at {ConnectionOptions.Key(address)}{who}");
            WarnOfPlainText(context, address);
            return ExitCode.Ok;
        });
        return command;
    }

    // The host may still be building or starting.
    private static async Task WaitAsync(CliContext context, Uri address, TimeSpan limit, CancellationToken cancellationToken)
    {
        if (limit <= TimeSpan.Zero) return;
        using TinyLlmClient client = new(address, token: null, context.Time);
        using CancellationTokenSource deadline = new(limit, context.Time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            while (!await client.IsReadyAsync(either.Token)) await Task.Delay(ReadyPoll, context.Time, either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ApiException($"{ConnectionOptions.Key(address)} was not ready within {limit.TotalSeconds} s: is the host running?");
        }
    }

    private static async Task<string> ReadTokenAsync(CliContext context, string? given, string? file, ParseResult parsed, ConnectionOptions connection)
    {
        if (file is not null)
        {
            return File.Exists(file)
                ? ConnectionOptions.CheckToken(await File.ReadAllTextAsync(file))
                : throw new UsageException($"'{file}' does not exist: the host makes its admin-token on its first start, in its data folder");
        }
        if ((given ?? connection.GivenToken(parsed)) is string token) return ConnectionOptions.CheckToken(token);
        if (context.Screen.ReadSecret is Func<string> readSecret)
        {
            context.Screen.Error.Write("Token: ");
            return ConnectionOptions.CheckToken(readSecret());
        }
        return ConnectionOptions.CheckToken(await context.Screen.In.ReadLineAsync() ?? "");
    }

    // A token without the scope to read is a good token too: its owner's name stays unknown.
    private static async Task<string> IdentifyAsync(TinyLlmClient client, CancellationToken cancellationToken)
    {
        try
        {
            return $" as {(await client.GetCallerAsync(cancellationToken)).Id}";
        }
        catch (ApiException fault) when (fault.Status == 403)
        {
            return "";
        }
    }

    private static void WarnOfPlainText(CliContext context, Uri address)
    {
        if (address.Scheme == Uri.UriSchemeHttp && !address.IsLoopback)
            context.Screen.WriteErrorLine("note: plain http sends the token and every prompt readable over the network; use https");
    }
}
