using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using Spectre.Console;
using TinyLlm.Cli.Inspection;
using TinyLlm.Cli.Terminal;

namespace TinyLlm.Cli.Commands;

/// <summary><c>tinyllm scan</c>: every model below a folder, and every file of a format that is unsafe or not used. Offline; opens SafeTensors headers alone.</summary>
internal static class ScanCommand
{
    public static Command Create(CliContext context)
    {
        Argument<string> folder = new("DIR") { Description = "A folder with many models below it" };
        Option<bool> json = new("--json") { Description = "Write the report as JSON" };
        Command command = new("scan", "Finds the models below a folder and checks them (0: all valid, 2: not)") { folder, json };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            string root = parsed.GetRequiredValue(folder);
            ImmutableArray<ScannedFolder> models = await ScannedFolder.FindAsync(root, cancellationToken);
            if (models.IsEmpty) context.Screen.WriteErrorLine($"no models found under '{root}'");
            if (parsed.GetValue(json)) context.Screen.Out.WriteLine(InspectionJson.Write(models, InspectionJson.Default.ImmutableArrayScannedFolder));
            else if (context.Screen.OutIsTerminal && !models.IsEmpty) Draw(context.Screen, models);
            else WriteLines(context.Screen, models);
            TellFaults(context.Screen, models);
            return models.All(model => model.Valid) ? ExitCode.Ok : ExitCode.Usage;
        });
        return command;
    }

    private static void Draw(Screen screen, ImmutableArray<ScannedFolder> models)
    {
        Table table = new Table().Border(TableBorder.Simple).AddColumns("folder", "formats", "size", "tensors", "parameters", "valid");
        foreach (ScannedFolder model in models)
        {
            table.AddRow(
                Markup.Escape(ControlFilter.Clean(model.Path, singleLine: true)),
                Markup.Escape(ControlFilter.Clean(string.Join(", ", model.Formats), singleLine: true)),
                ByteSize.Text(model.Bytes),
                Number(model.Tensors),
                Number(model.Parameters),
                model.Valid ? "yes" : "no");
        }
        screen.DrawOnOut().Write(table);
    }

    private static void WriteLines(Screen screen, ImmutableArray<ScannedFolder> models)
    {
        foreach (ScannedFolder model in models)
            screen.WriteLine(string.Join('\t', ControlFilter.Clean(model.Path, singleLine: true), string.Join(',', model.Formats), model.Bytes, model.Tensors, model.Parameters, model.Valid ? "valid" : "invalid"));
    }

    private static void TellFaults(Screen screen, ImmutableArray<ScannedFolder> models)
    {
        foreach (ScannedFolder model in models)
        {
            foreach (InspectionFault fault in model.Faults) screen.WriteErrorLine($"{model.Path}: {fault.ToLine()}");
            foreach (ForeignFile file in model.Foreign) screen.WriteErrorLine($"{model.Path}: {file.ToLine()}");
        }
    }

    private static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
