using System.Text.Json;

namespace TinyLlm.Text.Files;

/// <summary>Reads fields of a small foreign JSON object; what is not as asked is a <see cref="TokenizerFormatException"/> that names the field.</summary>
internal static class JsonFields
{
    public static string RequiredString(this JsonElement parent, string name) =>
        parent.OptionalString(name) ?? throw new TokenizerFormatException(TokenizerFormatError.MissingField, $"'{name}' must be a string");

    /// <summary>Null when the field is absent or null.</summary>
    public static string? OptionalString(this JsonElement parent, string name) =>
        parent.Field(name) is { } field ? field.AsString(name) : null;

    public static bool Flag(this JsonElement parent, string name, bool absent) => parent.Field(name) switch
    {
        null => absent,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        { } other => throw new TokenizerFormatException(TokenizerFormatError.BadField, $"'{name}' must be true or false, not {other.ValueKind}"),
    };

    /// <summary>Null when the field is absent or null.</summary>
    public static int? OptionalInteger(this JsonElement parent, string name, int min, int max)
    {
        if (parent.Field(name) is not { } field) return null;
        if (field.ValueKind == JsonValueKind.Number && field.TryGetInt32(out int value) && value >= min && value <= max) return value;
        throw new TokenizerFormatException(TokenizerFormatError.BadField, $"'{name}' must be an integer from {min} to {max}");
    }

    public static int RequiredInteger(this JsonElement parent, string name, int min, int max) =>
        parent.OptionalInteger(name, min, max) ?? throw new TokenizerFormatException(TokenizerFormatError.MissingField, $"'{name}' must be an integer");

    public static JsonElement RequiredObject(this JsonElement parent, string name) =>
        parent.Field(name) is { ValueKind: JsonValueKind.Object } field
            ? field
            : throw new TokenizerFormatException(TokenizerFormatError.MissingField, $"'{name}' must be an object");

    public static JsonElement RequiredArray(this JsonElement parent, string name, int maxLength)
    {
        if (parent.Field(name) is not { ValueKind: JsonValueKind.Array } field)
            throw new TokenizerFormatException(TokenizerFormatError.MissingField, $"'{name}' must be an array");
        int length = field.GetArrayLength();
        if (length > maxLength)
            throw new TokenizerFormatException(TokenizerFormatError.TooLarge, $"'{name}' has {length} items: at most {maxLength} are allowed");
        return field;
    }

    /// <summary>The field's value; null when <paramref name="parent"/> is no object, or the field is absent or null.</summary>
    public static JsonElement? Field(this JsonElement parent, string name)
    {
        if (parent.ValueKind != JsonValueKind.Object)
            throw new TokenizerFormatException(TokenizerFormatError.BadField, $"an object with '{name}' was expected, not {parent.ValueKind}");
        return parent.TryGetProperty(name, out JsonElement field) && field.ValueKind != JsonValueKind.Null ? field : null;
    }

    public static string AsString(this JsonElement element, string name)
    {
        if (element.ValueKind != JsonValueKind.String)
            throw new TokenizerFormatException(TokenizerFormatError.BadField, $"'{name}' must be a string, not {element.ValueKind}");
        try
        {
            return element.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            // A lone surrogate passes the parser and fails here.
            throw new TokenizerFormatException(TokenizerFormatError.NotJson, $"'{name}' is not valid Unicode", e);
        }
    }

    /// <summary>A string that is bounded because the work on every text grows with it.</summary>
    public static string RequiredSetting(this JsonElement parent, string name)
    {
        string value = parent.RequiredString(name);
        if (value.Length <= TokenizerLimits.MaxSettingChars) return value;
        throw new TokenizerFormatException(TokenizerFormatError.TooLarge,
            $"'{name}' has {value.Length} characters: at most {TokenizerLimits.MaxSettingChars} are allowed");
    }
}
