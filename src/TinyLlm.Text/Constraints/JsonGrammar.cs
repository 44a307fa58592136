using System.Text.Json;
using TinyLlm.Text.Constraints;

namespace TinyLlm.Text;

/// <summary>
/// A JSON schema, compiled: the documents that output may be. Every document that output completes parses and validates; which spellings of valid documents
/// are offered, and which keywords are kept, docs/API.md says. Knows no tokenizer. Immutable and safe for concurrent use.
/// </summary>
public sealed class JsonGrammar
{
    private readonly ValueShape _root;

    private JsonGrammar(ValueShape root) => _root = root;

    /// <summary>Any JSON object.</summary>
    public static JsonGrammar AnyObject { get; } = Compile("""{"type":"object"}"""u8);

    /// <summary>Compiles a schema (JSON Schema 2020-12, in the documented subset).</summary>
    /// <param name="schema">UTF-8 JSON.</param>
    /// <exception cref="SchemaException">It is refused; the message says where and why.</exception>
    public static JsonGrammar Compile(ReadOnlySpan<byte> schema)
    {
        if (schema.Length > ConstraintLimits.MaxSchemaBytes)
            throw new SchemaException(SchemaError.TooLarge, "#", $"the schema has {schema.Length} bytes, and may have {ConstraintLimits.MaxSchemaBytes}");
        return new JsonGrammar(new SchemaCompiler(Parse(schema)).Compile());
    }

    private static JsonElement Parse(ReadOnlySpan<byte> schema)
    {
        try
        {
            JsonElement root = JsonElement.Parse(schema, new JsonDocumentOptions { MaxDepth = ConstraintLimits.MaxDepth, AllowDuplicateProperties = false });
            RequireText(root);
            return root;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw new SchemaException(
                SchemaError.Malformed, "#", $"the schema is no JSON, nests more than {ConstraintLimits.MaxDepth} deep, repeats a name, or has half a surrogate pair");
        }
    }

    /// <summary>Half a surrogate pair passes the parser, and throws where it is read: here, once for all.</summary>
    private static void RequireText(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.String:
                element.GetString();
                break;
            case JsonValueKind.Array:
                foreach (JsonElement item in element.EnumerateArray()) RequireText(item);
                break;
            case JsonValueKind.Object:
                foreach (JsonProperty property in element.EnumerateObject())
                {
                    _ = property.Name;
                    RequireText(property.Value);
                }
                break;
        }
    }

    internal JsonFrame Begin() => new ValueFrame(_root, 0, 0, new DocumentFrame(0));
}
