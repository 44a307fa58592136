using System.CommandLine;
using System.Text.Json;
using TinyLlm.Cli.Offline;
using TinyLlm.Cli.Terminal;
using TinyLlm.Text;

namespace TinyLlm.Cli.Commands;

/// <summary><c>tinyllm render</c>: a conversation to the prompt that a model's chat template makes of it, without a host.</summary>
internal static class RenderCommand
{
    public static Command Create(CliContext context)
    {
        Option<string> model = new("--model") { Description = "A model's folder: chat_template.jinja, or tokenizer_config.json with a template", Required = true, HelpName = "DIR" };
        Command command = new("render", "Reads a JSON object with messages, tools and add_generation_prompt, writes the prompt; offline") { model };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            ChatTemplate template = TokenizerFiles.LoadTemplate(parsed.GetRequiredValue(model));
            string input = await Task.Run(context.Screen.In.ReadToEnd, cancellationToken).WaitAsync(cancellationToken);
            string prompt = Render(template, input);
            context.Screen.Out.Write(context.Screen.OutIsTerminal ? ControlFilter.Clean(prompt) : prompt);
            context.Screen.Out.Flush();
            return ExitCode.Ok;
        });
        return command;
    }

    private static string Render(ChatTemplate template, string input)
    {
        try
        {
            using JsonDocument variables = JsonDocument.Parse(input, new JsonDocumentOptions { AllowDuplicateProperties = false });
            return template.Render(variables.RootElement);
        }
        catch (ChatTemplateException exception)
        {
            throw new UsageException($"the template refuses the conversation: {exception.Message}");
        }
        catch (JsonException exception)
        {
            throw new UsageException($"standard input is not JSON, at line {(exception.LineNumber ?? 0) + 1}");
        }
        catch (InvalidOperationException) // of System.Text.Json: half a surrogate pair
        {
            throw new UsageException("a string of the conversation is not valid Unicode: it holds half a surrogate pair");
        }
    }
}
