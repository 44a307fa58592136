using System.Text.Json;

namespace TinyLlm.Text.Constraints;

/// <summary>Reads <c>type</c>.</summary>
internal static class TypeKeyword
{
    public static SchemaTypes Read(SchemaPlace place)
    {
        if (place.Keyword("type") is not { } value) return SchemaTypes.All;
        if (value.ValueKind == JsonValueKind.String) return Of(place, value);
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() == 0) throw place.Bad("type", "must be a type or a list of types");
        SchemaTypes types = SchemaTypes.None;
        foreach (JsonElement item in value.EnumerateArray()) types |= Of(place, item);
        return types;
    }

    /// <summary>The words of these types, in ordinal order.</summary>
    public static string[] Words(SchemaTypes types) => (types & (SchemaTypes.Null | SchemaTypes.Boolean)) switch
    {
        SchemaTypes.Null => ["null"],
        SchemaTypes.Boolean => ["false", "true"],
        SchemaTypes.Null | SchemaTypes.Boolean => ["false", "null", "true"],
        _ => [],
    };

    private static SchemaTypes Of(SchemaPlace place, JsonElement name) => place.Text(name, "type") switch
    {
        "null" => SchemaTypes.Null,
        "boolean" => SchemaTypes.Boolean,
        "integer" => SchemaTypes.Integer,
        "number" => SchemaTypes.Number,
        "string" => SchemaTypes.String,
        "array" => SchemaTypes.Array,
        "object" => SchemaTypes.Object,
        _ => throw place.Bad("type", "is none of null, boolean, integer, number, string, array, object"),
    };
}
