using System.Text.Json;

namespace TinyLlm.Host.OpenAi;

/// <summary>Reads "response_format": text, json_object, or json_schema in OpenAI's shape. Strict or not, the schema is kept.</summary>
internal static class ResponseFormatField
{
    private const string Name = "response_format";
    private const string AnyObject = """{"type":"object"}""";

    /// <summary>The JSON schema of the answer; null: text.</summary>
    public static string? Read(RequestFields fields)
    {
        if (fields.Take(Name) is not { } format) return null;
        if (format.ValueKind != JsonValueKind.Object) throw RequestFields.Malformed(Name, "must be an object");
        if (!format.EnumerateObject().MoveNext()) return null;
        string? type = format.TryGetProperty("type", out JsonElement value) && value.ValueKind == JsonValueKind.String ? RequestFields.Text(value, Name) : null;
        return type switch
        {
            "text" => null,
            "json_object" => AnyObject,
            "json_schema" => ReadSchema(format),
            _ => throw RequestFields.Malformed(Name, "its type must be \"text\", \"json_object\" or \"json_schema\""),
        };
    }

    private static string ReadSchema(JsonElement format)
    {
        if (!format.TryGetProperty("json_schema", out JsonElement named) || named.ValueKind != JsonValueKind.Object)
            throw RequestFields.Malformed(Name, "json_schema must be an object with a name and a schema");
        if (!named.TryGetProperty("name", out JsonElement name) || name.ValueKind != JsonValueKind.String)
            throw RequestFields.Malformed(Name, "json_schema.name must be a string");
        // As OpenAI has it, a format without a schema is any JSON object.
        return named.TryGetProperty("schema", out JsonElement schema) && schema.ValueKind != JsonValueKind.Null ? schema.GetRawText() : AnyObject;
    }
}
