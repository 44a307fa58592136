using System.Text.Json;
using TinyLlm.Text;

namespace TinyLlm.Engine.Tests;

/// <summary>Output held to a format, token by token: what may come, when it may end, and what happens where nothing may come.</summary>
public sealed class ConstraintSamplingTests
{
    private const int End = 0;

    /// <summary>Ids from 1 on. There is no closing bracket.</summary>
    private static readonly string[] Pieces = ["{", "}", "\"", "a", ":", "[", "1"];

    [Fact]
    public void Next_Object_TakesOnlyWhatGoesOnAndEndsWhenItIsWhole()
    {
        SequenceSampler sampler = Begin("""{"type":"object","properties":{"a":{"const":1}},"required":["a"],"additionalProperties":false}""");
        // Whatever the model prefers, only one token goes on at each of these places, and the end comes when it may.
        string[] written = [.. Enumerable.Range(0, 7).Select(step => Pieces[Next(sampler, favourite: step % Pieces.Length).Id - 1])];
        Assert.Equal(["{", "\"", "a", "\"", ":", "1", "}"], written);
        Assert.Equal(End, Next(sampler, favourite: 3).Id);
    }

    [Fact]
    public void Next_WholeWithoutAStopId_IsTheEnd()
    {
        SequenceSampler sampler = Begin("""{"const":1}""", stopIds: []);
        Assert.Equal("1", Pieces[Next(sampler, favourite: 0).Id - 1]);
        Assert.Null(sampler.Next(new Sampler(), new float[Pieces.Length + 1]));
    }

    [Fact]
    public void Next_NoTokenGoesOn_ThrowsAndDoesNotEnd()
    {
        SequenceSampler sampler = Begin("""{"type":"array","maxItems":0}""");
        Assert.Equal("[", Pieces[Next(sampler, favourite: 0).Id - 1]);
        ModelOutputException thrown = Assert.Throws<ModelOutputException>(() => Next(sampler, favourite: 0));
        Assert.Equal(ModelOutputFault.NoAllowedToken, thrown.Fault);
    }

    private static SequenceSampler Begin(string schema, int[]? stopIds = null) => new(new GenerationRequest
    {
        PromptIds = [1],
        MaxNewTokens = 20,
        StopIds = [.. stopIds ?? [End]],
        Sampling = new SamplingOptions { Temperature = 0 },
        Constraint = new OutputConstraint(new ConstraintVocabulary(MakeTokenizer()), JsonGrammar.Compile(System.Text.Encoding.UTF8.GetBytes(schema))),
    });

    private static GeneratedToken Next(SequenceSampler sampler, int favourite)
    {
        float[] logits = new float[Pieces.Length + 1];
        logits[favourite] = 9;
        return sampler.Next(new Sampler(), logits)!.Value;
    }

    private static Tokenizer MakeTokenizer()
    {
        Dictionary<string, int> vocabulary = new() { ["</s>"] = End };
        foreach (string piece in Pieces) vocabulary[piece] = vocabulary.Count;
        return Tokenizer.Load(
            JsonSerializer.SerializeToUtf8Bytes(new
            {
                version = "1.0",
                added_tokens = new[] { new { id = End, content = "</s>", single_word = false, lstrip = false, rstrip = false, normalized = false, special = true } },
                decoder = new { type = "Fuse" },
                model = new { type = "BPE", vocab = vocabulary, merges = Array.Empty<string>() },
            }),
            []);
    }
}
