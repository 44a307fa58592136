using System.CommandLine;
using TinyLlm.Cli.Api;
using TinyLlm.Cli.Audit;
using TinyLlm.Storage;

namespace TinyLlm.Cli.Commands;

/// <summary><c>tinyllm audit</c>: fetches an audit log, and verifies one that was fetched, offline.</summary>
internal static class AuditCommand
{
    public static Command Create(CliContext context, ConnectionOptions connection) =>
        new("audit", "Audit logs: export yours, verify one offline") { CreateExport(context, connection), CreateVerify(context) };

    private static Command CreateExport(CliContext context, ConnectionOptions connection)
    {
        Argument<string> file = new("FILE") { Description = "Where to write the log" };
        Option<bool> ofOperator = new("--operator") { Description = "The operator's log (with the admin token) instead of your own" };
        Command command = new("export", "Writes an audit log into a file") { file, ofOperator };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using TinyLlmClient client = connection.Connect(parsed);
            string path = parsed.GetRequiredValue(file);
            // Beside, then in place: a cut transfer must not look like a truncated log.
            string temporary = $"{path}.{Path.GetRandomFileName()}";
            try
            {
                await using (FileStream written = new(temporary, FileMode.CreateNew, FileAccess.Write))
                    await client.ExportAuditAsync(parsed.GetValue(ofOperator), written, cancellationToken);
                File.Move(temporary, path, overwrite: true);
            }
            finally
            {
                File.Delete(temporary);
            }
            context.Screen.WriteErrorLine($"wrote {path}; 'tinyllm audit verify {path}' checks it");
            return ExitCode.Ok;
        });
        return command;
    }

    private static Command CreateVerify(CliContext context)
    {
        Argument<string> file = new("FILE") { Description = "An exported log" };
        Option<string?> since = new("--since") { Description = "A head that you hold, as an earlier run printed it (ENTRIES:HASH); by default the one that this program remembers", HelpName = "HEAD" };
        Option<string?> key = new("--key") { Description = "The host's public key, as a file; by default the one that this log was first verified with", HelpName = "FILE" };
        Command command = new("verify", "Verifies an exported log: what was edited, removed or moved in it; and, against a head of an earlier time, what is missing at its end")
        {
            file, since, key,
        };
        command.SetAction(parsed =>
        {
            string path = parsed.GetRequiredValue(file);
            AuditExport header = AuditFile.ReadHeader(path);
            AuditPublicKey trusted = parsed.GetValue(key) is { } keyFile ? ReadKey(keyFile) : header.Key;
            KnownHeads known = new(context.Credentials.Folder);
            if (trusted.Id != header.Key.Id || (parsed.GetValue(key) is null && IsOfAnotherKey(known, header)))
                return Fault(context, path, new AuditVerdict(AuditFault.AnotherLog, 1, AuditHead.Empty), "it is signed with another key than the one known for it");

            AuditHead? held = parsed.GetValue(since) is { } text ? ParseHead(text) : known.Find(header.Log, trusted);
            AuditVerdict verdict = AuditFile.Verify(path, header.Log, trusted, held);
            if (verdict.Fault != AuditFault.None) return Fault(context, path, verdict, Explain(verdict.Fault));
            known.Save(header.Log, trusted, verdict.Head);
            if (held is null) context.Screen.WriteErrorLine($"first log under key {trusted.Id}: whether its end is missing shows from the next time on");
            context.Screen.WriteLine($"intact: {header.Log}, {verdict.Head.Entries} entries, head {verdict.Head}");
            return ExitCode.Ok;
        });
        return command;
    }

    /// <summary>A user's log has one key for ever; the operator's log of another host is another log.</summary>
    private static bool IsOfAnotherKey(KnownHeads known, AuditExport header) =>
        header.Log != AuditLogId.Operator && known.KeysOf(header.Log).ToArray() is { Length: > 0 } keys && !keys.Contains(header.Key.Id);

    private static int Fault(CliContext context, string path, AuditVerdict verdict, string why)
    {
        context.Screen.WriteErrorLine($"TAMPERED: '{path}', entry {verdict.Line}: {why}");
        return ExitCode.Failed;
    }

    private static string Explain(AuditFault fault) => fault switch
    {
        AuditFault.NotAnEntry => "the line is not an entry",
        AuditFault.AnotherLog => "the entry is of another log",
        AuditFault.OutOfOrder => "entries were removed, added or moved",
        AuditFault.ChainBroken => "the entry before it was changed",
        AuditFault.NotSigned => "it is not signed by the host",
        AuditFault.Truncated => "the log ends before the head that is known of it: it was truncated or rolled back",
        AuditFault.Forked => "it is not the entry that is known to have been here: the log was rolled back and went on differently",
        _ => fault.ToString(),
    };

    private static AuditHead ParseHead(string text) => AuditHead.TryParse(text, out AuditHead? head)
        ? head
        : throw new UsageException($"--since: '{text}' is not a head: it is ENTRIES:HASH, as 'tinyllm audit verify' prints it");

    internal static AuditPublicKey ReadKey(string path) => AuditPublicKey.TryParse(File.ReadAllText(path), out AuditPublicKey? key)
        ? key
        : throw new UsageException($"--key: '{path}' does not hold a P-256 public key (PEM, or base64 on one line)");
}
