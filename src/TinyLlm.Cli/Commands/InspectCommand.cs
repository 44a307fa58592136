using System.CommandLine;
using System.Globalization;
using TinyLlm.Cli.Inspection;
using TinyLlm.Cli.Terminal;

namespace TinyLlm.Cli.Commands;

/// <summary><c>tinyllm inspect</c>: whether SafeTensors files are valid, and what is in them. Offline.</summary>
internal static class InspectCommand
{
    public static Command Create(CliContext context)
    {
        Argument<string> path = new("PATH") { Description = "A SafeTensors file, or a folder of them" };
        Option<bool> json = new("--json") { Description = "Write a report as JSON" };
        Command command = new("inspect", "Checks SafeTensors files and tells what is in them (0: valid, 2: not)") { path, json };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            ModelInspection inspection = await ModelInspection.OfAsync(parsed.GetRequiredValue(path), cancellationToken);
            if (parsed.GetValue(json)) context.Screen.Out.WriteLine(InspectionJson.Write(inspection, InspectionJson.Default.ModelInspection));
            else Tell(context.Screen, inspection);
            return inspection.Valid ? ExitCode.Ok : ExitCode.Usage;
        });
        return command;
    }

    private static void Tell(Screen screen, ModelInspection inspection)
    {
        foreach (InspectedFile file in inspection.Files)
        {
            string dtypes = string.Join(", ", file.Dtypes.Select(pair => $"{pair.Key} {Number(pair.Value)}"));
            screen.WriteLine($"{ControlFilter.Clean(file.Name, singleLine: true)}: valid, {ByteSize.Text(file.Bytes)}, {Number(file.Tensors)} tensors, {Number(file.Parameters)} parameters ({dtypes})");
        }
        foreach (InspectionFault fault in inspection.Faults) screen.WriteErrorLine($"tinyllm: {fault.ToLine()}");
        foreach (ForeignFile file in inspection.Foreign) screen.WriteErrorLine(file.ToLine());
    }

    private static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
