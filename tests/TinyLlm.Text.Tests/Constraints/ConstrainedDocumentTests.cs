using System.Text;
using System.Text.Json.Nodes;

namespace TinyLlm.Text.Tests.Constraints;

/// <summary>Output held to schemas, against Ajv: what validates is not masked.</summary>
public sealed class ConstrainedDocumentTests
{
    private const int DocumentsPerKind = 1_000;

    public static TheoryData<string> Tokenizers => [.. ConstraintTokenizers.Names];

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
            for (int seed = 0; seed < SchemaSamples.PerKind; seed++)
            {
                JsonNode schema = SchemaSamples.Make(kind, seed);
                OutputConstraint constraint = new(vocabulary, JsonGrammar.Compile(SchemaSamples.Utf8(schema)));
                Random random = new(seed);
                DocumentSamples samples = new(schema, random);
                List<string> documents = [];
                for (int i = 0; i < DocumentsPerKind / SchemaSamples.PerKind; i++)
                {
                    string document = JsonSpelling.Write(samples.Make(), random);
                    documents.Add(document);
                    List<int> ids = ConstraintTokenizers.Split(Encoding.UTF8.GetBytes(document), tokens, random);
                    ConstraintState state = constraint.Begin();
                    int looked = random.Next(ids.Count); // a mask is dear, and equal to what advances: one a document
                    for (int at = 0; at < ids.Count; at++)
                    {
                        if (at == looked)
                        {
                            state.Mask(mask);
                            if ((mask[ids[at] >> 6] >> ids[at] & 1) == 0) Fail("the mask lacks", at);
                        }
                        if (!state.Advance(ids[at])) Fail("refused is", at);
                    }
                    if (!state.IsComplete) Fail("not complete after", ids.Count - 1);

                    // A message is dearer than all the rest, so it is made where it is needed.
                    void Fail(string what, int at) => Assert.Fail(Describe(what, schema, document, tokenizer, ids, at));
                }
                cases.Add((schema, documents));
            }
        }
        Assert.Equal(SchemaSamples.Kinds.Length * DocumentsPerKind, cases.Sum(item => item.Documents.Count));
        if (tokenizerName == "own") AjvOracle.RequireValid(cases);
    }

    private static string Describe(string what, JsonNode schema, string document, Tokenizer tokenizer, List<int> ids, int at) =>
        $"{what} token {ids[at]} '{Encoding.UTF8.GetString(tokenizer.TokenBytes(ids[at])!)}' after '{string.Concat(ids.Take(at).Select(id => Encoding.Latin1.GetString(tokenizer.TokenBytes(id)!)))}' of {document} by {schema.ToJsonString()}";
}
