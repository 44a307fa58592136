using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace TinyLlm.Cli.Inspection;

/// <summary>The JSON of reports: snake_case, indented, foreign text escaped down to ASCII.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(ModelInspection))]
[JsonSerializable(typeof(ImmutableArray<ScannedFolder>))]
internal sealed partial class InspectionJson : JsonSerializerContext
{
    public static string Write<T>(T value, JsonTypeInfo<T> type) => JsonSerializer.Serialize(value, type);
}
