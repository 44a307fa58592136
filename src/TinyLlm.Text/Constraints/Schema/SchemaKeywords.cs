using System.Collections.Frozen;
using System.Text.Json;

namespace TinyLlm.Text.Constraints;

/// <summary>Keywords that would make valid output invalid if they were not kept, and are not: a schema that has one is refused. Others that are unknown are annotations.</summary>
internal static class SchemaKeywords
{
    private static readonly FrozenSet<string> Unsupported = new[]
    {
        "not", "if", "then", "else", "dependentRequired", "dependentSchemas", "dependencies", "patternProperties", "propertyNames",
        "unevaluatedProperties", "unevaluatedItems", "contains", "minContains", "maxContains", "additionalItems", "$dynamicRef", "$recursiveRef",
    }.ToFrozenSet();

    /// <exception cref="SchemaException">The place is no schema, or has a keyword that is not kept.</exception>
    public static void Check(SchemaPlace place)
    {
        if (place.Element.ValueKind is JsonValueKind.True or JsonValueKind.False) return;
        if (place.Element.ValueKind != JsonValueKind.Object)
            throw new SchemaException(SchemaError.Malformed, place.Pointer, $"a schema is an object, true or false, not of kind {place.Element.ValueKind}");
        foreach (JsonProperty property in place.Element.EnumerateObject())
        {
            if (Unsupported.Contains(property.Name)) throw place.Fault(SchemaError.Unsupported, property.Name, "this keyword is not supported: leave it out");
        }
        if (place.Keyword("uniqueItems") is { ValueKind: not JsonValueKind.False })
            throw place.Fault(SchemaError.Unsupported, "uniqueItems", "unique items are not supported: leave it out");
    }
}
