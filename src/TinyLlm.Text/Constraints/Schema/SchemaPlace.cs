using System.Text.Json;

namespace TinyLlm.Text.Constraints;

/// <summary>A schema inside the schema, or one that stands for a value of an enum, at its JSON pointer ("#/properties/a").</summary>
internal sealed record SchemaPlace(JsonElement Element, string Pointer)
{
    public bool Equals(SchemaPlace? other) => Pointer == other?.Pointer;

    public override int GetHashCode() => Pointer.GetHashCode(StringComparison.Ordinal);

    /// <summary>A schema below this one.</summary>
    public SchemaPlace Child(JsonElement element, params ReadOnlySpan<string> names)
    {
        string pointer = Pointer;
        foreach (string name in names) pointer += "/" + name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);
        return new SchemaPlace(element, pointer);
    }

    /// <summary>A keyword's value; null when it is absent.</summary>
    public JsonElement? Keyword(string name) => Element.ValueKind == JsonValueKind.Object && Element.TryGetProperty(name, out JsonElement value) ? value : null;

    /// <summary>A keyword's value that must be of this kind.</summary>
    public JsonElement? Keyword(string name, JsonValueKind kind) =>
        Keyword(name) is not { } value ? null : value.ValueKind == kind ? value : throw Bad(name, $"must be of kind {kind}");

    /// <summary>A count: a whole number of at least 0, also written as 3.0.</summary>
    public int? Count(string name)
    {
        if (Keyword(name, JsonValueKind.Number) is not { } value) return null;
        if (!value.TryGetDecimal(out decimal number) || number != decimal.Truncate(number) || number is < 0 or > int.MaxValue)
            throw Bad(name, $"must be a whole number from 0 to {int.MaxValue}");
        return (int)number;
    }

    /// <summary>A string below the keyword.</summary>
    public string Text(JsonElement value, string name) =>
        value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Bad(name, "must be a string"); // it is one, so not null

    public SchemaException Bad(string keyword, string reason) => Fault(SchemaError.Malformed, keyword, reason);

    public SchemaException Fault(SchemaError error, string keyword, string reason) => new(error, $"{Pointer}/{keyword}", reason);
}
