using System.Globalization;
using System.Text.Json.Nodes;

namespace TinyLlm.Text.Tests.Constraints;

/// <summary>Makes documents that are valid for a schema of <see cref="SchemaSamples"/>, by reading the schema as a person would. Knows nothing of automata.</summary>
internal sealed class DocumentSamples(JsonNode root, Random random)
{
    public static readonly string[] Formats = ["date", "time", "date-time", "uuid", "ipv4", "email", "hostname"];

    private static readonly string[] TextPieces = ["a", "Z", " ", "7", "\"", "\\", "/", "\n", "\t", "\u0001", "\u007f", "é", "漢字", "😀", "\u2028", "é", "word", "ab c"];

    public JsonNode? Make() => Make(root, 0);

    public static string AnyText(Random random) => string.Concat(Enumerable.Range(0, random.Next(6)).Select(_ => TextPieces[random.Next(TextPieces.Length)]));

    private JsonNode? Make(JsonNode schema, int depth)
    {
        if (schema is JsonValue) return AnyValue(depth);
        JsonObject rules = schema.AsObject();
        if (rules["$ref"] is { } reference) return Make(Resolve((string)reference!), depth);
        if (rules.ContainsKey("const")) return rules["const"]?.DeepClone();
        if (rules["enum"] is JsonArray values) return values[random.Next(values.Count)]?.DeepClone();
        if ((rules["anyOf"] ?? rules["oneOf"]) is JsonArray branches) return Make(depth > 4 ? branches[^1]! : branches[random.Next(branches.Count)]!, depth);
        if (rules["allOf"] is JsonArray parts) return Combined(parts, depth);
        string type = rules["type"] switch
        {
            JsonArray types => (string)types[random.Next(types.Count)]!,
            JsonValue one => (string)one!,
            _ => "any",
        };
        return type switch
        {
            "null" => null,
            "boolean" => random.Next(2) == 0,
            "string" => Text(rules),
            "integer" => JsonNode.Parse(Integer(rules).ToString(CultureInfo.InvariantCulture)),
            "number" => Number(rules),
            "array" => Array(rules, depth),
            "object" => Object(rules, depth),
            _ => AnyValue(depth),
        };
    }

    private JsonNode Resolve(string reference)
    {
        JsonNode at = root;
        foreach (string part in reference.Split('/').Skip(1)) at = at[part.Replace("~1", "/")]!;
        return at;
    }

    private JsonNode Text(JsonObject rules)
    {
        if (rules["format"] is { } format) return Format((string)format!);
        int min = (int?)rules["minLength"] ?? 0, max = (int?)rules["maxLength"] ?? min + 8;
        if (rules["minLength"] is not null)
        {
            string[] alphabet = rules["pattern"] is null ? ["a", "é", "😀", "\"", "\n"] : ["a", "q"];
            return string.Concat(Enumerable.Range(0, random.Next(min, max + 1)).Select(_ => alphabet[random.Next(alphabet.Length)]));
        }
        return rules["pattern"] is { } pattern ? SchemaSamples.Patterns.Single(sample => sample.Pattern == (string)pattern!).Match(random) : AnyText(random);
    }

    private string Format(string format)
    {
        DateTime time = new(random.Next(1, 9999), random.Next(1, 13), random.Next(1, 29), random.Next(24), random.Next(60), random.Next(60), DateTimeKind.Utc);
        if (random.Next(5) == 0) time = new DateTime(2024, 2, 29, time.Hour, time.Minute, time.Second, DateTimeKind.Utc);
        string date = time.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        string clock = time.ToString("HH:mm:ss", CultureInfo.InvariantCulture) + new[] { "Z", ".25Z", "+01:30", "-11:00" }[random.Next(4)];
        return format switch
        {
            "date" => date,
            "time" => clock,
            "date-time" => $"{date}T{clock}",
            "uuid" => new Guid(Enumerable.Range(0, 16).Select(_ => (byte)random.Next(256)).ToArray()).ToString(),
            "ipv4" => $"{random.Next(256)}.{random.Next(256)}.{random.Next(256)}.{random.Next(256)}",
            "email" => $"{SchemaSamples.Letters(random, 1, 9)}.x@{SchemaSamples.Letters(random, 1, 9)}.example.org",
            _ => $"{SchemaSamples.Letters(random, 1, 9)}-1.example",
        };
    }

    private long Integer(JsonObject rules)
    {
        long multiple = (long?)rules["multipleOf"] ?? 1;
        long low = (long?)rules["minimum"] ?? (long?)rules["exclusiveMinimum"] + 1 ?? -1_000_000_000_000, high = (long?)rules["maximum"] ?? (long?)rules["exclusiveMaximum"] - 1 ?? 1_000_000_000_000;
        if (rules["maximum"] is null && rules["exclusiveMaximum"] is null && random.Next(2) == 0) high = low + 50 + multiple;
        long first = (long)Math.Ceiling((double)low / multiple), last = (long)Math.Floor((double)high / multiple);
        return random.NextInt64(first, last + 1) * multiple;
    }

    private JsonNode Number(JsonObject rules)
    {
        if (rules["multipleOf"] is not null) return JsonNode.Parse(Integer(rules).ToString(CultureInfo.InvariantCulture))!;
        bool isFree = rules.Count == 1;
        if (isFree && random.Next(2) == 0)
            return JsonNode.Parse(new[] { "0", "-0", "1e5", "1.50E-7", "-12.000001e+20", "123456789012345678", "0.30000000000000004", "2E0" }[random.Next(8)])!;
        decimal low = (decimal?)rules["minimum"] ?? (decimal?)rules["exclusiveMinimum"] + 0.0005m ?? -5000, high = (decimal?)rules["maximum"] ?? (decimal?)rules["exclusiveMaximum"] - 0.0005m ?? low + 7000;
        decimal value = Math.Round(low + (high - low) * (decimal)random.NextDouble(), random.Next(4, 9));
        return JsonNode.Parse(Math.Clamp(value, low, high).ToString(CultureInfo.InvariantCulture))!;
    }

    private JsonArray Array(JsonObject rules, int depth)
    {
        int min = (int?)rules["minItems"] ?? 0, max = (int?)rules["maxItems"] ?? min + (depth > 3 ? 0 : 3);
        JsonArray first = rules["prefixItems"]?.AsArray() ?? [];
        if (rules["items"] is JsonValue) max = Math.Min(max, first.Count);
        return new JsonArray([.. Enumerable.Range(0, random.Next(min, max + 1)).Select(index => Make(index < first.Count ? first[index]! : rules["items"] ?? true, depth + 1))]);
    }

    private JsonObject Object(JsonObject rules, int depth)
    {
        HashSet<string> required = [.. rules["required"]?.AsArray().Select(name => (string)name!) ?? []];
        int min = (int?)rules["minProperties"] ?? 0, max = (int?)rules["maxProperties"] ?? int.MaxValue;
        List<KeyValuePair<string, JsonNode?>> members = [];
        foreach ((string name, JsonNode? schema) in rules["properties"]?.AsObject() ?? [])
        {
            if (required.Contains(name) || (random.Next(2) == 0 && members.Count + required.Count < max && depth < 5)) members.Add(new(name, Make(schema!, depth + 1)));
        }
        JsonNode others = rules["additionalProperties"] ?? true;
        bool isOpen = others is not JsonValue value || (bool)value;
        for (int i = 0; isOpen && members.Count < max && (members.Count < min || (depth < 3 && random.Next(2) == 0)); i++)
            members.Add(new($"other {i}{AnyText(random)}", Make(others, depth + 1)));
        random.Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(members));
        return new JsonObject(members);
    }

    /// <summary>What the one shape of allOf in the samples allows: an integer a, b, and perhaps c.</summary>
    private JsonObject Combined(JsonArray parts, int depth)
    {
        int most = (int)parts[1]!["properties"]!["a"]!["maximum"]!;
        JsonObject made = new() { ["b"] = Make(parts[1]!["properties"]!["b"]!, depth + 1), ["a"] = random.Next(-20, most + 1) };
        if (random.Next(2) == 0) made["c"] = Make(parts[2]!["properties"]!["c"]!, depth + 1);
        return made;
    }

    private JsonNode? AnyValue(int depth) => random.Next(depth > 3 ? 5 : 7) switch
    {
        0 => null,
        1 => random.Next(2) == 0,
        2 => random.Next(-99999, 99999),
        3 => AnyText(random),
        4 => JsonNode.Parse("-0.5e-3"),
        5 => new JsonArray([.. Enumerable.Range(0, random.Next(3)).Select(_ => AnyValue(depth + 1))]),
        _ => new JsonObject(Enumerable.Range(0, random.Next(3)).Select(index => new KeyValuePair<string, JsonNode?>($"{AnyText(random)}{index}", AnyValue(depth + 1)))),
    };
}
