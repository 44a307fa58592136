using System.Text.RegularExpressions;
using TinyLlm.Tests;

namespace TinyLlm.EndToEnd.Tests.Documents;

/// <summary>The commands of README.md and docs/OPERATIONS.md, and which test runs them: the tests take what they run from here, so that it is the documents' own text.</summary>
internal static partial class DocumentedCommands
{
    private static readonly (string Start, Type Test)[] s_tests =
    [
        (@"dotnet publish -c Release src/TinyLlm\.Cli |dotnet run -c Release --project src/TinyLlm\.Host |export PATH=|tinyllm\b|TinyLlm\.Host |kill ", typeof(QuickStartTests)),
        (@"\./run-cluster\.sh ", typeof(ClusterScriptTests)),
        (@"TINYLLM_\w+=\w+ dotnet test ", typeof(LongRunTests)),
    ];

    /// <summary>Of the documents, in their order, without the blocks that are marked for Azure.</summary>
    public static IReadOnlyList<DocumentedCommand> All { get; } = [.. ((string[])["README.md", "docs/OPERATIONS.md"]).SelectMany(Read)];

    /// <summary>What a test has to run.</summary>
    public static DocumentedCommand[] Of(Type test) => [.. All.Where(command => TestOf(command) == test)];

    /// <summary>The test that runs a command; null: none.</summary>
    public static Type? TestOf(DocumentedCommand command) => s_tests.FirstOrDefault(entry => Regex.IsMatch(command.Text, $"^(?:{entry.Start})")).Test;

    private static IEnumerable<DocumentedCommand> Read(string document)
    {
        string text = File.ReadAllText(Path.Combine(TestData.RepositoryRoot, document));
        foreach (Match block in BlockPattern().Matches(text).Where(block => block.Groups["kind"].Value == "sh"))
        {
            foreach (string line in block.Groups["lines"].Value.Split('\n', StringSplitOptions.RemoveEmptyEntries)) yield return new DocumentedCommand(document, line, IsMention: false);
        }
        foreach (Match mention in MentionPattern().Matches(BlockPattern().Replace(text, ""))) yield return new DocumentedCommand(document, mention.Groups[1].Value, IsMention: true);
    }

    [GeneratedRegex(@"^```(?<kind>[^\n]*)\n(?<lines>.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex BlockPattern();

    [GeneratedRegex(@"`((?:(?:tinyllm|dotnet|azd|az|kubectl|npm|kill|TinyLlm\.Host)(?: [^`]*)?|TINYLLM_\w+=\w+ [^`]*|\./[\w-]+\.sh[^`]*))`")]
    private static partial Regex MentionPattern();
}
