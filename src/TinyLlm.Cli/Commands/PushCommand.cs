using System.CommandLine;
using TinyLlm.Cli.Api;
using TinyLlm.Cli.Push;
using TinyLlm.Storage;

namespace TinyLlm.Cli.Commands;

/// <summary><c>tinyllm push</c>: a local folder becomes a version of a model.</summary>
internal static class PushCommand
{
    public static Command Create(CliContext context, ConnectionOptions connection)
    {
        Argument<string> folder = new("DIR") { Description = "Folder of a model in the Hugging Face layout" };
        Option<string?> name = new("--name") { Description = "The model's name (by default the folder's)", HelpName = "NAME" };
        Command command = new("push", "Uploads a model folder as a new version of a model") { folder, name };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            string path = parsed.GetRequiredValue(folder);
            string model = ModelName(parsed.GetValue(name), path);
            ModelFolder files = await ModelFolder.ReadAsync(path, cancellationToken);
            using TinyLlmClient client = connection.Connect(parsed);
            if (files.LeftOut.Count > 0) context.Screen.WriteErrorLine($"left out: {string.Join(", ", files.LeftOut)}");

            Upload upload = new(client, context.Transfer, context.Time);
            CommittedModel done = context.Screen.ErrorIsTerminal
                ? await BarProgress.RunAsync(context.Screen, files, progress => upload.SendAsync(model, files, progress, cancellationToken))
                : await upload.SendAsync(model, files, new LineProgress(context.Screen, context.Time), cancellationToken);
            context.Screen.WriteLine($"{done.Owner}/{done.Model}@{done.Version} {done.Digest}");
            return ExitCode.Ok;
        });
        return command;
    }

    private static string ModelName(string? given, string folder)
    {
        string name = given ?? new DirectoryInfo(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder))).Name;
        return EntityName.TryParse(name, out _) ? name : throw new UsageException($"'{name}' can't name a model: give --name with {EntityName.Rule}");
    }
}
