using System.Text;
using System.Text.Json.Nodes;
using TinyLlm.Text.Tests.Oracles;

namespace TinyLlm.Text.Tests.Constraints;

/// <summary>Output held to schemas, against Ajv: what ends validates, and what validates is not masked.</summary>
public sealed class ConstraintTests
{
    private const int SchemasPerKind = 10, DocumentsPerKind = 1_000;

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
            for (int seed = 0; seed < SchemasPerKind; seed++)
            {
                JsonNode schema = SchemaSamples.Make(kind, seed);
                OutputConstraint constraint = new(vocabulary, JsonGrammar.Compile(Utf8(schema)));
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
        RequireValid(cases);
    }

    /// <summary>1,000 valid documents of each kind, in random spellings, cut into tokens at random.</summary>
    [Theory]
    [MemberData(nameof(Tokenizers))]
    public void Mask_ValidDocuments_NoTokenIsMasked(string tokenizerName)
    {
        Tokenizer tokenizer = ConstraintTokenizers.Load(tokenizerName);
        ConstraintVocabulary vocabulary = new(tokenizer);
        Dictionary<string, int> tokens = ConstraintTokenizers.ByBytes(tokenizer);
        ulong[] mask = new ulong[(vocabulary.Size + 63) / 64];
        List<(JsonNode Schema, List<string> Documents)> cases = [];
        foreach (string kind in SchemaSamples.Kinds)
        {
            for (int seed = 0; seed < SchemasPerKind; seed++)
            {
                JsonNode schema = SchemaSamples.Make(kind, seed);
                OutputConstraint constraint = new(vocabulary, JsonGrammar.Compile(Utf8(schema)));
                Random random = new(seed);
                DocumentSamples samples = new(schema, random);
                List<string> documents = [];
                for (int i = 0; i < DocumentsPerKind / SchemasPerKind; i++)
                {
                    string document = JsonSpelling.Write(samples.Make(), random);
                    documents.Add(document);
                    List<int> ids = ConstraintTokenizers.Split(Encoding.UTF8.GetBytes(document), tokens, random);
                    ConstraintState state = constraint.Begin();
                    int? looked = vocabulary.Size < 1_000 || i % 10 == 0 ? random.Next(ids.Count) : null; // a mask is dear, and equal to what advances
                    for (int at = 0; at < ids.Count; at++)
                    {
                        if (at == looked)
                        {
                            state.Mask(mask);
                            Assert.True((mask[ids[at] >> 6] >> ids[at] & 1) != 0, Describe("the mask lacks", schema, document, tokenizer, ids, at));
                        }
                        Assert.True(state.Advance(ids[at]), Describe("refused is", schema, document, tokenizer, ids, at));
                    }
                    Assert.True(state.IsComplete, Describe("not complete after", schema, document, tokenizer, ids, ids.Count - 1));
                }
                cases.Add((schema, documents));
            }
        }
        Assert.Equal(SchemaSamples.Kinds.Length * DocumentsPerKind, cases.Sum(item => item.Documents.Count));
        if (tokenizerName == "own") RequireValid(cases);
    }

    /// <summary>The mask is exactly the set of tokens that advance, at random places of random documents.</summary>
    [Fact]
    public void Mask_EveryTokenOfASmallVocabulary_IsWhatAdvanceTakes()
    {
        Tokenizer tokenizer = ConstraintTokenizers.Load("own");
        ConstraintVocabulary vocabulary = new(tokenizer);
        ulong[] mask = new ulong[(vocabulary.Size + 63) / 64];
        Random random = new(3);
        int places = 0;
        foreach (string kind in SchemaSamples.Kinds)
        {
            JsonNode schema = SchemaSamples.Make(kind, 1);
            byte[] bytes = Encoding.UTF8.GetBytes(JsonSpelling.Write(new DocumentSamples(schema, random).Make(), random));
            OutputConstraint constraint = new(vocabulary, JsonGrammar.Compile(Utf8(schema)));
            for (int end = 0; end <= bytes.Length; end++)
            {
                if (!At(constraint, bytes[..end]).Mask(mask)) Assert.True(At(constraint, bytes[..end]).IsComplete);
                for (int id = 0; id < vocabulary.Size; id++)
                    Assert.Equal(At(constraint, bytes[..end]).Advance(id), (mask[id >> 6] >> id & 1) != 0);
                if (++places % 30 == 0) break;
            }
        }
    }

    [Fact]
    public void Mask_SpecialTokensAndIdsBeyondTheVocabulary_AreNeverAllowed()
    {
        Tokenizer tokenizer = ConstraintTokenizers.Load("own");
        ConstraintVocabulary vocabulary = new(tokenizer);
        ConstraintState state = new OutputConstraint(vocabulary, JsonGrammar.AnyObject).Begin();
        ulong[] mask = new ulong[16];
        Assert.True(state.Mask(mask));
        int special = vocabulary.Size - 1;
        Assert.Null(tokenizer.TokenBytes(special));
        Assert.Equal(0ul, mask[special >> 6] >> special & 1);
        Assert.False(state.Advance(special));
        Assert.False(state.Advance(100_000));
    }

    [Theory]
    [InlineData("""{"a":1,"a":2}""")]
    [InlineData("""{"a":1,"\u0061":2}""")]
    [InlineData("""{"x":{"b":1,"b":1}}""")]
    [InlineData("{\"a\":\"\u0001\"}")]
    [InlineData("""{"a":"\ud800"}""")]
    [InlineData("""{"a":"\udc00"}""")]
    [InlineData("""{"a":"\ud83dx"}""")]
    [InlineData("""{"a":01}""")]
    [InlineData("""{"a":1.}""")]
    [InlineData("""{"a":1e999}""")]
    [InlineData("""{"a":+1}""")]
    [InlineData("""{"a":1,}""")]
    [InlineData("""{"a" 1}""")]
    [InlineData("""{,}""")]
    [InlineData("""{"a":[1,]}""")]
    [InlineData("""{"a":nul}""")]
    [InlineData("""{'a':1}""")]
    [InlineData("""[1]""")]
    [InlineData("""{}{}""")]
    public void Advance_NoJsonObject_IsRefused(string text) => Assert.False(Takes(JsonGrammar.AnyObject, text));

    [Fact]
    public void Advance_InvalidUtf8_IsRefused()
    {
        ConstraintVocabulary vocabulary = new(ConstraintTokenizers.Load("own"));
        foreach (byte[] bad in new byte[][] { [0x80], [0xC0, 0x80], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xF5], [0xC3, (byte)'"'] })
        {
            ConstraintState state = At(new OutputConstraint(vocabulary, JsonGrammar.AnyObject), "{\""u8.ToArray());
            Assert.False(bad.All(value => state.Advance(value)), Convert.ToHexString(bad));
        }
    }

    [Fact]
    public void Advance_DeeperThanTheBound_IsRefused()
    {
        string Nested(int depth) => string.Concat(Enumerable.Repeat("{\"a\":", depth - 1)) + "{}" + new string('}', depth - 1);
        Assert.True(Takes(JsonGrammar.AnyObject, Nested(ConstraintLimits.MaxDepth)));
        Assert.False(Takes(JsonGrammar.AnyObject, Nested(ConstraintLimits.MaxDepth + 1)));
    }

    [Fact]
    public void Advance_MoreWhitespaceThanTheBound_IsRefused()
    {
        Assert.True(Takes(JsonGrammar.AnyObject, "{" + new string(' ', ConstraintLimits.MaxWhitespace) + "}"));
        Assert.False(Takes(JsonGrammar.AnyObject, "{" + new string(' ', ConstraintLimits.MaxWhitespace + 1) + "}"));
        Assert.False(Takes(JsonGrammar.AnyObject, "{}" + new string('\n', ConstraintLimits.MaxWhitespace + 1)));
    }

    /// <summary>Two branches of a union that read alike must not multiply with every item: once they did, and the number of readings met its bound.</summary>
    [Fact]
    public void Advance_ManyItemsOfAnAmbiguousUnion_KeepsEveryReading()
    {
        JsonGrammar grammar = JsonGrammar.Compile("""{"type":"array","items":{"anyOf":[{"type":"integer"},{"type":"number"},{"type":"object"},{"type":["object","number"]}]}}"""u8);
        Assert.True(Takes(grammar, "[" + string.Join(',', Enumerable.Repeat("1,2.5,{},{\"a\":[]}", 200)) + "]"));
    }

    private static bool Takes(JsonGrammar grammar, string text)
    {
        ConstraintState state = new OutputConstraint(new ConstraintVocabulary(ConstraintTokenizers.Load("own")), grammar).Begin();
        return Encoding.UTF8.GetBytes(text).All(value => state.Advance(value)) && state.IsComplete;
    }

    /// <summary>The state after these bytes, in a vocabulary whose first ids are the bytes.</summary>
    private static ConstraintState At(OutputConstraint constraint, byte[] bytes)
    {
        ConstraintState state = constraint.Begin();
        foreach (byte value in bytes) Assert.True(state.Advance(value));
        return state;
    }

    private static void RequireStrictJson(string text)
    {
        using System.Text.Json.JsonDocument document = System.Text.Json.JsonDocument.Parse(text, new() { AllowDuplicateProperties = false, MaxDepth = ConstraintLimits.MaxDepth });
    }

    private static void RequireValid(List<(JsonNode Schema, List<string> Documents)> cases)
    {
        System.Text.Json.JsonElement answers = NodeOracle.Ask("validate.mjs", new { cases = cases.Select(item => new { schema = item.Schema, documents = item.Documents }) });
        for (int i = 0; i < cases.Count; i++)
        {
            for (int k = 0; k < cases[i].Documents.Count; k++)
                Assert.True(answers[i][k].GetBoolean(), $"invalid for {cases[i].Schema.ToJsonString()}: {cases[i].Documents[k]}");
        }
    }

    private static byte[] Utf8(JsonNode schema) => Encoding.UTF8.GetBytes(schema.ToJsonString());

    private static string Describe(string what, JsonNode schema, string document, Tokenizer tokenizer, List<int> ids, int at) =>
        $"{what} token {ids[at]} '{Encoding.UTF8.GetString(tokenizer.TokenBytes(ids[at])!)}' after '{string.Concat(ids.Take(at).Select(id => Encoding.Latin1.GetString(tokenizer.TokenBytes(id)!)))}' of {document} by {schema.ToJsonString()}";
}
