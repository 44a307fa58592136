using System.CommandLine;
using TinyLlm.Cli.Api;

namespace TinyLlm.Cli.Commands;

/// <summary>How an answer is drawn; what is not given is the server's to decide, and so are the bounds.</summary>
internal sealed class GenerationOptions
{
    private readonly Option<int?> maxTokens = new("--max-tokens") { Description = "The most tokens to generate", HelpName = "N" };
    private readonly Option<double?> temperature = new("--temperature") { Description = "0 takes the likeliest token each time", HelpName = "T" };
    private readonly Option<double?> topP = new("--top-p") { Description = "Draw from the likeliest tokens of this probability together", HelpName = "P" };
    private readonly Option<int?> topK = new("--top-k") { Description = "Draw from this many likeliest tokens", HelpName = "K" };
    private readonly Option<long?> seed = new("--seed") { Description = "The same seed draws the same answer", HelpName = "SEED" };

    public void AddTo(Command command)
    {
        foreach (Option option in (Option[])[maxTokens, temperature, topP, topK, seed]) command.Add(option);
    }

    /// <summary>A request with these options and no text yet.</summary>
    public AnswerRequest Request(ParseResult parsed, string model) => new()
    {
        Model = model,
        MaxTokens = parsed.GetValue(maxTokens),
        Temperature = parsed.GetValue(temperature),
        TopP = parsed.GetValue(topP),
        TopK = parsed.GetValue(topK),
        Seed = parsed.GetValue(seed),
    };
}
