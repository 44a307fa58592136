using System.CommandLine;
using TinyLlm.Cli.Offline;
using TinyLlm.Text;

namespace TinyLlm.Cli.Commands;

/// <summary><c>tinyllm tokenize</c>: texts to ids, without a host.</summary>
internal static class TokenizeCommand
{
    public static Option<string> Tokenizer() => new("--tokenizer") { Description = "tokenizer.json, tokenizer.model, or a folder that has one", Required = true, HelpName = "FILE|DIR" };

    public static Command Create(CliContext context)
    {
        Option<string> tokenizer = Tokenizer();
        Option<bool> special = new("--special") { Description = "Add the model's special tokens (such as begin of text), and read those that stand in a text" };
        Command command = new("tokenize", "Reads a JSON string a line, writes its token ids as a JSON array a line; offline") { tokenizer, special };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            Tokenizer loaded = TokenizerFiles.LoadTokenizer(parsed.GetRequiredValue(tokenizer));
            bool isSpecial = parsed.GetValue(special);
            long number = 0;
            await foreach (string text in JsonLines.ReadAsync<string>(context.Screen.In, "a JSON string of valid Unicode", cancellationToken))
            {
                number++;
                context.Screen.Out.WriteLine(JsonLines.Write(Encode(loaded, text, isSpecial, number)));
            }
            return ExitCode.Ok;
        });
        return command;
    }

    private static int[] Encode(Tokenizer tokenizer, string text, bool isSpecial, long number)
    {
        try
        {
            return tokenizer.Encode(text, addSpecialTokens: isSpecial, parseSpecialTokens: isSpecial);
        }
        catch (TokenizerFormatException exception)
        {
            throw new UsageException($"line {number} can't be tokenized: {exception.Message}");
        }
    }
}
