using System.Diagnostics;
using System.Text;

namespace TinyLlm.Text.Tests.Constraints;

/// <summary>Schemas that output can't be held to are refused by place and reason, and soon.</summary>
public sealed class SchemaRefusalTests
{
    [Theory]
    [InlineData("{", SchemaError.Malformed, "#")]
    [InlineData("[]", SchemaError.Malformed, "#")]
    [InlineData("""{"type":"a","type":"b"}""", SchemaError.Malformed, "#")]
    [InlineData("""{"const":"\ud800"}""", SchemaError.Malformed, "#")]
    [InlineData("""{"type":"thing"}""", SchemaError.Malformed, "#/type")]
    [InlineData("""{"type":"object","properties":{"a":{"type":7}}}""", SchemaError.Malformed, "#/properties/a/type")]
    [InlineData("""{"type":"object","properties":{"a/b":{"minLength":-1}}}""", SchemaError.Malformed, "#/properties/a~1b/minLength")]
    [InlineData("""{"properties":{"a":5}}""", SchemaError.Malformed, "#/properties/a")]
    [InlineData("""{"required":"a"}""", SchemaError.Malformed, "#/required")]
    [InlineData("""{"not":{}}""", SchemaError.Unsupported, "#/not")]
    [InlineData("""{"if":{},"then":{}}""", SchemaError.Unsupported, "#/if")]
    [InlineData("""{"type":"array","uniqueItems":true}""", SchemaError.Unsupported, "#/uniqueItems")]
    [InlineData("""{"type":"array","contains":{}}""", SchemaError.Unsupported, "#/contains")]
    [InlineData("""{"type":"array","items":[{}]}""", SchemaError.Unsupported, "#/items")]
    [InlineData("""{"patternProperties":{"a":{}}}""", SchemaError.Unsupported, "#/patternProperties")]
    [InlineData("""{"type":"number","multipleOf":0.01}""", SchemaError.Unsupported, "#/multipleOf")]
    [InlineData("""{"type":"number","minimum":0.12345678901234567}""", SchemaError.Unsupported, "#/minimum")]
    [InlineData("""{"type":"integer","exclusiveMinimum":9007199254740992}""", SchemaError.Unsupported, "#/exclusiveMinimum")]
    [InlineData("""{"type":"integer","minimum":5,"maximum":4}""", SchemaError.Unsatisfiable, "#/minimum")]
    [InlineData("""{"properties":{"a":{"exclusiveMinimum":1,"maximum":1}}}""", SchemaError.Unsatisfiable, "#/properties/a/exclusiveMinimum")]
    [InlineData("""{"type":"integer","minimum":5,"maximum":6,"multipleOf":7}""", SchemaError.Unsatisfiable, "#")]
    [InlineData("""{"minLength":3,"maxLength":2}""", SchemaError.Unsatisfiable, "#/minLength")]
    [InlineData("""{"type":"array","minItems":3,"maxItems":2}""", SchemaError.Unsatisfiable, "#/minItems")]
    [InlineData("""{"enum":[]}""", SchemaError.Unsatisfiable, "#/enum")]
    [InlineData("""{"type":"integer","enum":["a"]}""", SchemaError.Unsatisfiable, "#")]
    [InlineData("""{"allOf":[{"type":"string"},{"type":"integer"}]}""", SchemaError.Unsatisfiable, "#")]
    [InlineData("""{"type":"object","properties":{"a":{"allOf":[{"const":1},{"const":2}]}},"required":["a"]}""", SchemaError.Unsatisfiable, "#/properties/a")]
    [InlineData("""{"type":"object","required":["a"],"additionalProperties":false}""", SchemaError.Unsatisfiable, "#/additionalProperties")]
    [InlineData("""{"$ref":"#"}""", SchemaError.Unsatisfiable, "#")]
    [InlineData("""{"$ref":"#/$defs/a","$defs":{"a":{"anyOf":[{"$ref":"#/$defs/a"}]}}}""", SchemaError.Unsatisfiable, "#/$defs/a")]
    [InlineData("""{"type":"object","properties":{"next":{"$ref":"#"}},"required":["next"]}""", SchemaError.Unsatisfiable, "#/properties/next")]
    [InlineData("""{"$ref":"https://example.com/schema"}""", SchemaError.UnknownReference, "#/$ref")]
    [InlineData("""{"$ref":"#/$defs/none"}""", SchemaError.UnknownReference, "#/$ref")]
    [InlineData("""{"oneOf":[{"type":"number"},{"type":"integer"}]}""", SchemaError.Ambiguous, "#/oneOf/1")]
    [InlineData("""{"oneOf":[{"properties":{"a":{"const":1}}},{"properties":{"a":{"const":2}}}]}""", SchemaError.Ambiguous, "#/oneOf/1")]
    [InlineData("""{"type":"string","pattern":"(a"}""", SchemaError.BadPattern, "#/pattern")]
    [InlineData("""{"type":"string","pattern":"(?=a)b"}""", SchemaError.BadPattern, "#/pattern")]
    [InlineData("""{"type":"string","pattern":"(a)\\1"}""", SchemaError.BadPattern, "#/pattern")]
    [InlineData("""{"type":"string","pattern":"\\bword\\b"}""", SchemaError.BadPattern, "#/pattern")]
    [InlineData("""{"type":"string","pattern":"a{1,1000000}"}""", SchemaError.BadPattern, "#/pattern")]
    [InlineData("""{"type":"string","pattern":"$a"}""", SchemaError.Unsatisfiable, "#/pattern")]
    [InlineData("""{"type":"string","pattern":"(a|b)*a(a|b){20}$"}""", SchemaError.TooLarge, "#/pattern")]
    [InlineData("""{"type":"string","pattern":"((((a{100}){100}){100}){100})"}""", SchemaError.TooLarge, "#/pattern")]
    [InlineData("""{"type":"string","pattern":"^[a-z]+$","maxLength":100000}""", SchemaError.TooLarge, "#/pattern")]
    public void Compile_Pathological_IsRefusedWithPlaceAndReason(string schema, SchemaError error, string place)
    {
        SchemaException refusal = Assert.Throws<SchemaException>(() => JsonGrammar.Compile(Encoding.UTF8.GetBytes(schema)));
        Assert.Equal((error, place), (refusal.Error, refusal.Place));
        Assert.StartsWith(place + ": ", refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("System.", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Compile_TooLargeDeepOrCombined_IsRefused()
    {
        Refuse(SchemaError.TooLarge, """{"description":"D"}""".Replace("D", new string('d', ConstraintLimits.MaxSchemaBytes)));
        Refuse(SchemaError.Malformed, string.Concat(Enumerable.Repeat("""{"items":""", 100)) + "{}" + new string('}', 100));
        Refuse(SchemaError.TooLarge, "{\"enum\":[" + string.Join(',', Enumerable.Range(0, 1001)) + "]}");
        string two = """{"anyOf":[{"minLength":1},{"minLength":2}]}""";
        Refuse(SchemaError.TooLarge, "{\"allOf\":[" + string.Join(',', Enumerable.Repeat(two, 8)) + "]}");
        string names = string.Join(',', Enumerable.Range(0, 1001).Select(index => $"\"p{index}\":true"));
        Refuse(SchemaError.TooLarge, "{\"properties\":{" + names + "}}");
        // Each definition uses the next twice: 2^30 places in a tree, and 30 shapes here.
        string doubled = string.Join(',', Enumerable.Range(0, 30).Select(
            i => $"\"d{i}\":" + """{"type":"object","properties":{"a":{"$ref":"#/$defs/N"},"b":{"$ref":"#/$defs/N"}}}""".Replace("N", $"d{i + 1}")));
        long started = Stopwatch.GetTimestamp();
        JsonGrammar.Compile(Encoding.UTF8.GetBytes("{\"$ref\":\"#/$defs/d0\",\"$defs\":{" + doubled + ",\"d30\":{\"type\":\"null\"}}}"));
        Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(30), "sharing definitions must not unfold them");

        static void Refuse(SchemaError error, string schema) => Assert.Equal(error, Assert.Throws<SchemaException>(() => JsonGrammar.Compile(Encoding.UTF8.GetBytes(schema))).Error);
    }

    [Theory]
    [InlineData("""{"type":"string","format":"made-up","title":"t","description":"d","default":5,"examples":[1],"x-extra":{}}""")]
    [InlineData("""{"$schema":"https://json-schema.org/draft/2020-12/schema","$id":"x","$comment":"c","deprecated":true,"readOnly":true}""")]
    [InlineData("true")]
    [InlineData("{}")]
    public void Compile_Annotations_AreIgnored(string schema) => JsonGrammar.Compile(Encoding.UTF8.GetBytes(schema));
}
