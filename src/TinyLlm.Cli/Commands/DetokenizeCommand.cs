using System.CommandLine;
using TinyLlm.Cli.Offline;
using TinyLlm.Text;

namespace TinyLlm.Cli.Commands;

/// <summary><c>tinyllm detokenize</c>: ids to texts, without a host.</summary>
internal static class DetokenizeCommand
{
    public static Command Create(CliContext context)
    {
        Option<string> tokenizer = TokenizeCommand.Tokenizer();
        Command command = new("detokenize", "Reads a JSON array of token ids a line, writes its text as a JSON string a line; offline") { tokenizer };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            Tokenizer loaded = TokenizerFiles.LoadTokenizer(parsed.GetRequiredValue(tokenizer));
            long number = 0;
            await foreach (int[] ids in JsonLines.ReadAsync<int[]>(context.Screen.In, "a JSON array of token ids", cancellationToken))
            {
                number++;
                foreach (int id in ids)
                {
                    if ((uint)id >= (uint)loaded.VocabularySize) throw new UsageException($"line {number} has the id {id}, and this tokenizer's are 0 to {loaded.VocabularySize - 1}");
                }
                string text = JsonLines.Write(loaded.Decode(ids, skipSpecialTokens: false));
                context.Screen.WriteLine(text);
            }
            return ExitCode.Ok;
        });
        return command;
    }
}
