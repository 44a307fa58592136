using System.CommandLine;
using System.Globalization;
using TinyLlm.Cli.Api;

namespace TinyLlm.Cli.Commands;

/// <summary><c>tinyllm versions</c> and <c>tinyllm rollback</c>: what there is of a model, and which of it the bare name means.</summary>
internal static class VersionsCommand
{
    public static Command Create(CliContext context, ConnectionOptions connection)
    {
        Argument<string> model = new("MODEL") { Description = "model, or owner/model" };
        Command command = new("versions", "Lists the versions of a model, newest first: number, current, bytes, digest, uploaded signature") { model };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using TinyLlmClient client = connection.Connect(parsed);
            string name = await GrantCommand.FullNameAsync(client, parsed.GetRequiredValue(model), cancellationToken);
            foreach (ModelEntry version in await client.ListVersionsAsync(name, cancellationToken))
            {
                context.Screen.WriteLine(string.Join(
                    '\t', version.Version?.ToString(CultureInfo.InvariantCulture), version.Current == true ? "current" : "", version.Bytes, version.Digest, version.Signature?.State));
            }
            return ExitCode.Ok;
        });
        return command;
    }

    public static Command CreateRollback(CliContext context, ConnectionOptions connection)
    {
        Argument<string> model = new("MODEL") { Description = "One of your models" };
        Argument<int> version = new("VERSION") { Description = "The number of the version that the bare name is to mean" };
        Command command = new("rollback", "Makes an older version of a model the current one, until the next push") { model, version };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using TinyLlmClient client = connection.Connect(parsed);
            string name = await GrantCommand.FullNameAsync(client, parsed.GetRequiredValue(model), cancellationToken);
            await client.SetCurrentAsync(name, parsed.GetRequiredValue(version), cancellationToken);
            context.Screen.WriteErrorLine($"{name} now means {name}@{parsed.GetRequiredValue(version).ToString(CultureInfo.InvariantCulture)}");
            return ExitCode.Ok;
        });
        return command;
    }
}
