using System.CommandLine;
using System.Globalization;
using Spectre.Console;
using TinyLlm.Cli.Api;
using TinyLlm.Cli.Terminal;

namespace TinyLlm.Cli.Commands;

/// <summary><c>tinyllm models</c>: a table for people, tab-separated lines for programs.</summary>
internal static class ModelsCommand
{
    public static Command Create(CliContext context, ConnectionOptions connection)
    {
        Command command = new("models", "Lists the models that you may use");
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using TinyLlmClient client = connection.Connect(parsed);
            IReadOnlyList<ModelEntry> models = await client.ListModelsAsync(cancellationToken);
            if (context.Screen.OutIsTerminal) Draw(context.Screen, models);
            else WriteLines(context.Screen, models);
            return ExitCode.Ok;
        });
        return command;
    }

    private static void Draw(Screen screen, IReadOnlyList<ModelEntry> models)
    {
        if (models.Count == 0)
        {
            screen.WriteErrorLine("no models yet: upload one with 'tinyllm push DIR'");
            return;
        }
        Table table = new Table().Border(TableBorder.Simple).AddColumns("model", "architecture", "parameters", "size", "digest");
        foreach (ModelEntry model in models)
        {
            table.AddRow(
                Cell(Name(model)),
                Cell(model.Architecture),
                Cell(model.Parameters?.ToString("N0", CultureInfo.InvariantCulture)),
                Cell(model.Bytes is long bytes ? ByteSize.Text(bytes) : null),
                Cell(model.Digest is { Length: > 12 } digest ? digest[..12] : model.Digest));
        }
        screen.DrawOnOut().Write(table);
    }

    private static void WriteLines(Screen screen, IReadOnlyList<ModelEntry> models)
    {
        foreach (ModelEntry model in models)
            screen.WriteLine(string.Join('\t', Name(model), model.Architecture, model.Parameters, model.Bytes, model.Digest));
    }

    private static string Name(ModelEntry model) => model.Version is int version ? $"{model.Owner}/{model.Model}@{version}" : $"{model.Owner}/{model.Model}";

    // Foreign text: no control characters, no markup.
    private static string Cell(string? text) => Markup.Escape(ControlFilter.Clean(text ?? "-", singleLine: true));
}
