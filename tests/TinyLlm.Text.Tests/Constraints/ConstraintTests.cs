using System.Text;
using System.Text.Json.Nodes;

namespace TinyLlm.Text.Tests.Constraints;

/// <summary>What a constraint allows at one place, and what it refuses.</summary>
public sealed class ConstraintTests
{
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
            OutputConstraint constraint = new(vocabulary, JsonGrammar.Compile(SchemaSamples.Utf8(schema)));
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

    /// <summary>Multiples of 18 digits once were offered: read as f64, as Ajv and most others read them, they are neighbours of themselves and multiples of nothing.</summary>
    [Theory]
    [InlineData("999999999999981", true)]
    [InlineData("-999999999999981", true)]
    [InlineData("122833197101714232", false)]
    [InlineData("29000000000000000", false)]
    public void Advance_MultipleOf29_IsTakenWhereEveryReaderAgrees(string text, bool isTaken) =>
        Assert.Equal(isTaken, Takes(JsonGrammar.Compile("""{"type":"integer","multipleOf":29}"""u8), text));

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
}
