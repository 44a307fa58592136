using System.Text.Json.Nodes;

namespace TinyLlm.Text.Tests.Constraints;

/// <summary>Output held to schemas, against Ajv: what ends validates. A class apart from the other direction, so that both run at once.</summary>
public sealed class ConstrainedWritingTests
{
    public static TheoryData<string> Tokenizers => [.. ConstraintTokenizers.Names];

    /// <summary>210 schemas; a random writer that prefers to close what is open.</summary>
    [Theory]
    [MemberData(nameof(Tokenizers))]
    public void Mask_RandomWriter_EveryEndedOutputValidates(string tokenizerName)
    {
        Tokenizer tokenizer = ConstraintTokenizers.Load(tokenizerName);
        ConstraintVocabulary vocabulary = new(tokenizer);
        List<(JsonNode Schema, List<string> Outputs)> cases = [];
        RandomWriter writer = new(tokenizer);
        int ended = 0, cut = 0;
        foreach (string kind in SchemaSamples.Kinds)
        {
            for (int seed = 0; seed < SchemaSamples.PerKind; seed++)
            {
                JsonNode schema = SchemaSamples.Make(kind, seed);
                OutputConstraint constraint = new(vocabulary, JsonGrammar.Compile(SchemaSamples.Utf8(schema)));
                List<string> outputs = [];
                for (int run = 0; run < 2; run++)
                {
                    if (writer.Write(constraint, new Random(seed * 7 + run)) is { } output) outputs.Add(output);
                    else cut++;
                }
                ended += outputs.Count;
                cases.Add((schema, outputs));
            }
        }
        TestContext.Current.TestOutputHelper!.WriteLine($"{tokenizerName}: {cases.Count} schemas, {ended} outputs ended, {cut} were cut");
        Assert.InRange(cases.Count, 200, int.MaxValue);
        Assert.InRange(ended, 9 * cut, int.MaxValue);
        Assert.All(cases, item => Assert.All(item.Outputs, output => RequireStrictJson(output)));
        AjvOracle.RequireValid(cases);
    }

    private static void RequireStrictJson(string text)
    {
        using System.Text.Json.JsonDocument document = System.Text.Json.JsonDocument.Parse(text, new() { AllowDuplicateProperties = false, MaxDepth = ConstraintLimits.MaxDepth });
    }
}
