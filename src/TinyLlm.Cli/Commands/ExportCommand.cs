using System.CommandLine;
using TinyLlm.Cli.Api;
using TinyLlm.Cli.Export;
using TinyLlm.Cli.Inspection;
using TinyLlm.Storage;

namespace TinyLlm.Cli.Commands;

/// <summary><c>tinyllm export</c>: a version's files with a signature that <c>tinyllm verify</c> and <c>model_signing verify key</c> accept.</summary>
internal static class ExportCommand
{
    public static Command Create(CliContext context, ConnectionOptions connection)
    {
        Argument<string> model = new("MODEL") { Description = "model, owner/model or owner/model@version" };
        Argument<string> folder = new("DIR") { Description = "A folder that does not exist yet; an export that broke off goes on when it is repeated" };
        Command command = new("export", "Downloads a model with its signature, and checks what arrived") { model, folder };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using TinyLlmClient client = connection.Connect(parsed);
            string target = Path.TrimEndingDirectorySeparator(LocalFile.FullPath(parsed.GetRequiredValue(folder)));
            ModelExport export = new(client, target);
            ModelStatement statement = await export.RunAsync(
                parsed.GetRequiredValue(model), file => context.Screen.WriteErrorLine($"{file}: as it was signed"), cancellationToken);
            context.Screen.WriteLine($"{target}: {statement.Files.Length} files of {statement.Name}; the public key is {export.KeyPath}");
            return ExitCode.Ok;
        });
        return command;
    }
}
