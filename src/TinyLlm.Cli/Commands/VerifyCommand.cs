using System.CommandLine;
using TinyLlm.Cli.Inspection;
using TinyLlm.Storage;

namespace TinyLlm.Cli.Commands;

/// <summary><c>tinyllm verify</c>: whether the files of a folder are those that a key signed. Offline; the same question as <c>model_signing verify key</c>.</summary>
internal static class VerifyCommand
{
    public static Command Create(CliContext context)
    {
        Argument<string> folder = new("DIR") { Description = "The folder of a model" };
        Option<string> publicKey = new("--public-key") { Description = "The signer's public key, as PEM", HelpName = "FILE", Required = true };
        Option<string?> signature = new("--signature") { Description = "The signature (by default model.sig in the folder)", HelpName = "FILE" };
        Command command = new("verify", "Checks a model's files against its signature (0: they are those that were signed, 2: not)") { folder, publicKey, signature };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            string path = LocalFile.FullPath(parsed.GetRequiredValue(folder));
            if (!Directory.Exists(path)) throw new UsageException($"'{parsed.GetValue(folder)}' is not a folder");
            string signaturePath = LocalFile.FullPath(parsed.GetValue(signature) ?? Path.Combine(path, "model.sig"));
            try
            {
                ModelStatement statement = SignatureFile.Read(signaturePath).Verify(SignatureFile.ReadKey(parsed.GetRequiredValue(publicKey)));
                IReadOnlyList<SignatureException> differences = statement.Compare(await FolderDigests.ReadAsync(path, signaturePath, cancellationToken));
                foreach (SignatureException difference in differences) Tell(context, difference);
                if (differences.Count > 0) return ExitCode.Usage;
                context.Screen.WriteLine($"valid: {statement.Files.Length} files as they were signed");
                return ExitCode.Ok;
            }
            catch (SignatureException refusal)
            {
                Tell(context, refusal);
                return ExitCode.Usage;
            }
        });
        return command;
    }

    private static void Tell(CliContext context, SignatureException refusal) =>
        context.Screen.WriteErrorLine($"tinyllm: {refusal.Message} (code {System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(refusal.Error.ToString())})");
}
