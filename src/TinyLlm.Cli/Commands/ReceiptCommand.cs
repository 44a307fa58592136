using System.CommandLine;
using System.Globalization;
using TinyLlm.Storage;

namespace TinyLlm.Cli.Commands;

/// <summary><c>tinyllm receipt verify</c>: whether a deletion's receipt is the host's, offline.</summary>
internal static class ReceiptCommand
{
    public static Command Create(CliContext context)
    {
        Argument<string> file = new("FILE") { Description = "The receipt, or the whole answer of the deletion" };
        Option<string?> key = new("--key") { Description = "The host's public key, as a file; without it only the receipt's own key is checked", HelpName = "FILE" };
        Command verify = new("verify", "Verifies the receipt of a deletion, offline") { file, key };
        verify.SetAction(parsed =>
        {
            string path = parsed.GetRequiredValue(file);
            if (!SignedReceipt.TryParse(File.ReadAllBytes(path), out SignedReceipt? receipt)) throw new UsageException($"'{path}' is no receipt");
            AuditPublicKey? own = AuditPublicKey.TryParse(receipt.Key, out AuditPublicKey? read) ? read : null;
            AuditPublicKey? trusted = parsed.GetValue(key) is { } keyFile ? AuditCommand.ReadKey(keyFile) : own;
            if (trusted is null || own?.Id != trusted.Id || !receipt.TryVerify(trusted, out ForgetReceiptText? text))
            {
                context.Screen.WriteErrorLine($"NOT VALID: '{path}' is not signed with that key");
                return ExitCode.Failed;
            }
            context.Screen.WriteLine($"valid: {text.Kind} {text.Name}, {text.Versions.Length} versions, {text.StoredBytes} bytes, {text.CompletedAt.ToString("O", CultureInfo.InvariantCulture)}");
            foreach (RetainedCopy copy in text.Retained) context.Screen.WriteLine($"still held until {copy.Until.ToString("O", CultureInfo.InvariantCulture)}: {copy.What}");
            context.Screen.WriteErrorLine($"signed with key {trusted.Id}");
            return ExitCode.Ok;
        });
        return new Command("receipt", "Receipts of deletions") { verify };
    }
}
