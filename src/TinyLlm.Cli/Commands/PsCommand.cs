using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Spectre.Console;
using TinyLlm.Cli.Api;
using TinyLlm.Cli.Terminal;

namespace TinyLlm.Cli.Commands;

/// <summary><c>tinyllm ps</c>: what is in the memory of which silo. A table for people, tab-separated lines or JSON for programs.</summary>
internal static class PsCommand
{
    public static Command Create(CliContext context, ConnectionOptions connection)
    {
        Option<bool> json = new("--json") { Description = "One JSON object, as the API answers it" };
        Command command = new("ps", "Lists the models in memory, silo by silo (for the operator)") { json };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using TinyLlmClient client = connection.Connect(parsed);
            ResidentList resident = await client.ListResidentAsync(cancellationToken);
            if (parsed.GetValue(json)) context.Screen.WriteLine(JsonSerializer.Serialize(resident, ApiJson.Default.ResidentList));
            else if (context.Screen.OutIsTerminal) Draw(context, resident.Models);
            else WriteLines(context.Screen, resident.Models);
            foreach (string silo in resident.Silent) context.Screen.WriteErrorLine($"silo {silo} did not answer: what it holds is missing here");
            return ExitCode.Ok;
        });
        return command;
    }

    private static void Draw(CliContext context, IReadOnlyList<ResidentModel> models)
    {
        if (models.Count == 0)
        {
            context.Screen.WriteErrorLine("no model is in memory: the first request to one loads it");
            return;
        }
        Table table = new Table().Border(TableBorder.Simple).AddColumns("model", "owner", "silo", "size", "precision", "streams", "expires");
        foreach (ResidentModel model in models)
        {
            table.AddRow(
                Cell(model.Model),
                Cell(model.Owner),
                Cell(model.Silo),
                Cell(ByteSize.Text(model.Bytes)),
                Cell(model.Precision),
                Cell(model.Streams.ToString(CultureInfo.InvariantCulture)),
                Cell(Expiry(model)));
        }
        context.Screen.DrawOnOut().Write(table);
    }

    private static void WriteLines(Screen screen, IReadOnlyList<ResidentModel> models)
    {
        foreach (ResidentModel model in models)
            screen.WriteLine(string.Join('\t', model.Model, model.Owner, model.Silo, model.Bytes, model.Precision, model.Streams, Expiry(model)));
    }

    private static string Expiry(ResidentModel model) => model.Pinned ? "never" : model.ExpiresAt?.ToString("u", CultureInfo.InvariantCulture) ?? "when room is needed";

    // Foreign text: no control characters, no markup.
    private static string Cell(string text) => Markup.Escape(ControlFilter.Clean(text, singleLine: true));
}
