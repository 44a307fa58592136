using System.Text.Json;
using System.Text.Json.Serialization;

namespace TinyLlm.Storage;

/// <summary>Writes a small value as its text, as a value and as a dictionary's key; reads only text that parses.</summary>
/// <typeparam name="T">The value; <c>ToString</c> and <c>TryParse</c> are inverse.</typeparam>
public sealed class ParsableJsonConverter<T> : JsonConverter<T> where T : struct, IParsable<T>
{
    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.String ? Parse(reader.GetString()) : throw Invalid();

    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());

    public override T ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => Parse(reader.GetString());

    public override void WriteAsPropertyName(Utf8JsonWriter writer, T value, JsonSerializerOptions options) =>
        writer.WritePropertyName(value.ToString() ?? throw Invalid());

    private static T Parse(string? text) => T.TryParse(text, null, out T value) ? value : throw Invalid();

    private static JsonException Invalid() => new($"not a valid {typeof(T).Name}");
}
