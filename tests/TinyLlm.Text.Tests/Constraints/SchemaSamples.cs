using System.Text;
using System.Text.Json.Nodes;

namespace TinyLlm.Text.Tests.Constraints;

/// <summary>Makes schemas of many kinds, each from a seed. Knows nothing of how they are compiled.</summary>
internal static class SchemaSamples
{
    public const int PerKind = 10;

    public static readonly string[] Kinds =
    [
        "any-object", "flat", "nested", "arrays", "tuples", "enums", "constants", "references", "recursion", "patterns", "formats", "lengths", "integers",
        "decimals", "multiples", "unions", "nullable", "exclusive", "combined", "open-objects", "counted-objects",
    ];

    /// <summary>Patterns, each with strings that match it.</summary>
    public static readonly (string Pattern, Func<Random, string> Match)[] Patterns =
    [
        ("^[a-z]+$", random => Letters(random, 1, 9)),
        ("^[A-Z]{2}-\\d{3,5}$", random => $"{(char)('A' + random.Next(26))}{(char)('A' + random.Next(26))}-{random.Next(100, 99_999)}"),
        ("^(red|green|blue)(-dark)?$", random => new[] { "red", "green", "blue" }[random.Next(3)] + (random.Next(2) == 0 ? "" : "-dark")),
        ("ab+c", random => $"{Letters(random, 0, 3)}a{new string('b', random.Next(1, 4))}c{DocumentSamples.AnyText(random)}"),
        ("^\\w+@\\w+\\.(com|org)$", random => $"{Letters(random, 1, 5)}@{Letters(random, 1, 5)}.{(random.Next(2) == 0 ? "com" : "org")}"),
        ("^[^\\x00-\\x7F]{1,4}$", random => string.Concat(Enumerable.Range(0, random.Next(1, 5)).Select(_ => new[] { "é", "漢", "😀", "ß" }[random.Next(4)]))),
        ("^.{3}$", random => Letters(random, 3, 3)),
        ("(^a|z$)", random => random.Next(2) == 0 ? "a" + DocumentSamples.AnyText(random) : DocumentSamples.AnyText(random).Replace("\n", "") + "z"),
        ("^(\\d+(,\\d+)*)?$", random => string.Join(',', Enumerable.Range(0, random.Next(4)).Select(_ => random.Next(1000)))),
    ];

    public static JsonNode Make(string kind, int seed)
    {
        Random random = new(kind.Aggregate(seed, (hash, letter) => unchecked(hash * 31 + letter))); // HashCode would say another number in each process
        JsonNode made = kind switch
        {
            "any-object" => new JsonObject { ["type"] = "object" },
            "flat" => Object(random, 1 + random.Next(8), () => Scalar(random)),
            "nested" => Nested(random, 1 + random.Next(4)),
            "arrays" => Object(random, 1 + random.Next(3), () => Array(random, random.Next(3) == 0 ? Array(random, Scalar(random)) : Scalar(random))),
            "tuples" => Object(random, 1, () => Tuple(random)),
            "enums" => Object(random, 1 + random.Next(4), () => new JsonObject { ["enum"] = new JsonArray([.. Enumerable.Range(0, 1 + random.Next(6)).Select(index => Value(random, index))]) }),
            "constants" => Object(random, 1 + random.Next(4), () => new JsonObject { ["const"] = Value(random, random.Next(100)) }),
            "references" => References(random),
            "recursion" => Recursion(random),
            "patterns" => Object(random, 1 + random.Next(3), () => new JsonObject { ["type"] = "string", ["pattern"] = Patterns[random.Next(Patterns.Length)].Pattern }),
            "formats" => Object(random, 1 + random.Next(3), () => new JsonObject { ["type"] = "string", ["format"] = DocumentSamples.Formats[random.Next(DocumentSamples.Formats.Length)] }),
            "lengths" => Object(random, 1 + random.Next(3), () => Lengths(random)),
            "integers" => Object(random, 1 + random.Next(4), () => Integers(random)),
            "decimals" => Object(random, 1 + random.Next(4), () => Decimals(random)),
            "multiples" => Object(random, 1 + random.Next(3), () => Multiples(random)),
            "unions" => Object(random, 1 + random.Next(3), () => Union(random)),
            "nullable" => Object(random, 1 + random.Next(5), () => new JsonObject { ["type"] = new JsonArray(new[] { "string", "integer", "boolean", "number" }[random.Next(4)], "null") }),
            "exclusive" => Exclusive(random),
            "combined" => Combined(random),
            "open-objects" => Open(random),
            "counted-objects" => Counted(random),
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "is no kind"),
        };
        return JsonNode.Parse(made.ToJsonString())!; // numbers that are read as any type
    }

    public static byte[] Utf8(JsonNode schema) => Encoding.UTF8.GetBytes(schema.ToJsonString());

    private static JsonObject Object(Random random, int count, Func<JsonNode> value)
    {
        JsonObject properties = [];
        for (int i = 0; i < count; i++) properties[Name(random, i)] = value();
        return new JsonObject
        {
            ["type"] = "object",
            ["properties"] = properties,
            ["required"] = new JsonArray([.. properties.Select(property => property.Key).Where(_ => random.Next(3) > 0).Select(name => JsonValue.Create(name))]),
            ["additionalProperties"] = false,
        };
    }

    // Names that begin each other, need escapes, or are not ASCII.
    private static string Name(Random random, int index) => index switch
    {
        0 => "a",
        1 => "ab",
        2 => "na\"me",
        3 => "größe",
        4 => "😀",
        _ => Letters(random, 1, 8) + index,
    };

    private static JsonObject Nested(Random random, int depth) => depth == 0 ? Scalar(random) : Object(random, 1 + random.Next(3), () => Nested(random, depth - 1));

    private static JsonObject Scalar(Random random) => new() { ["type"] = new[] { "string", "integer", "number", "boolean", "null" }[random.Next(5)] };

    private static JsonObject Array(Random random, JsonNode items)
    {
        JsonObject array = new() { ["type"] = "array", ["items"] = items };
        if (random.Next(2) == 0) array["minItems"] = random.Next(3);
        if (random.Next(2) == 0) array["maxItems"] = 3 + random.Next(3);
        return array;
    }

    private static JsonObject Tuple(Random random)
    {
        int count = 1 + random.Next(4);
        JsonObject tuple = new() { ["type"] = "array", ["prefixItems"] = new JsonArray([.. Enumerable.Range(0, count).Select(_ => Scalar(random))]) };
        tuple["minItems"] = random.Next(count + 1);
        if (random.Next(2) == 0) tuple["items"] = false;
        else tuple["items"] = Scalar(random);
        return tuple;
    }

    private static JsonNode? Value(Random random, int index) => (index % 7) switch
    {
        0 => Letters(random, 1, 6),
        1 => random.Next(-500, 500),
        2 => index % 2 == 0,
        3 => null,
        4 => new JsonObject { ["k"] = random.Next(10), ["l"] = new JsonArray("x", null) },
        5 => "quote\" slash\\ line\n é 😀",
        _ => new JsonArray(1, new JsonArray(), "b"),
    };

    private static JsonObject References(Random random)
    {
        JsonObject schema = Object(random, 2 + random.Next(3), () => new JsonObject { ["$ref"] = $"#/$defs/{(random.Next(2) == 0 ? "point" : "na~1me")}" });
        schema["$defs"] = new JsonObject { ["point"] = Object(random, 2, () => Scalar(random)), ["na/me"] = Array(random, Scalar(random)) };
        return schema;
    }

    private static JsonObject Recursion(Random random) => random.Next(2) == 0
        ? new JsonObject
        {
            ["type"] = "object",
            ["properties"] = new JsonObject { ["value"] = Scalar(random), ["next"] = new JsonObject { ["anyOf"] = new JsonArray(new JsonObject { ["$ref"] = "#" }, new JsonObject { ["type"] = "null" }) } },
            ["required"] = new JsonArray("value", "next"),
            ["additionalProperties"] = false,
        }
        : new JsonObject
        {
            ["$ref"] = "#/$defs/tree",
            ["$defs"] = new JsonObject
            {
                ["tree"] = new JsonObject
                {
                    ["type"] = "object",
                    ["properties"] = new JsonObject { ["name"] = Scalar(random), ["children"] = new JsonObject { ["type"] = "array", ["items"] = new JsonObject { ["$ref"] = "#/$defs/tree" } } },
                    ["required"] = new JsonArray("children"),
                    ["additionalProperties"] = false,
                },
            },
        };

    private static JsonObject Lengths(Random random)
    {
        int min = random.Next(4);
        JsonObject schema = new() { ["type"] = "string", ["minLength"] = min };
        if (random.Next(3) > 0) schema["maxLength"] = min + random.Next(1, 12);
        if (random.Next(3) == 0) schema["pattern"] = "^[a-z]*$";
        return schema;
    }

    private static JsonObject Integers(Random random)
    {
        JsonObject schema = new() { ["type"] = "integer" };
        int low = random.Next(-1200, 1200);
        if (random.Next(3) > 0) schema[random.Next(2) == 0 ? "minimum" : "exclusiveMinimum"] = low;
        if (random.Next(3) > 0) schema[random.Next(2) == 0 ? "maximum" : "exclusiveMaximum"] = low + random.Next(2, 2500);
        return schema;
    }

    private static JsonObject Decimals(Random random)
    {
        JsonObject schema = new() { ["type"] = "number" };
        decimal low = random.Next(-3000, 3000) / 100m;
        if (random.Next(3) > 0) schema[random.Next(2) == 0 ? "minimum" : "exclusiveMinimum"] = low;
        if (random.Next(3) > 0) schema[random.Next(2) == 0 ? "maximum" : "exclusiveMaximum"] = low + random.Next(1, 4000) / 1000m;
        return schema;
    }

    private static JsonObject Multiples(Random random)
    {
        JsonObject schema = new() { ["type"] = random.Next(2) == 0 ? "integer" : "number", ["multipleOf"] = random.Next(2, 30) };
        if (random.Next(2) == 0) schema["minimum"] = random.Next(-300, 0);
        if (random.Next(2) == 0) schema["maximum"] = random.Next(30, 3000);
        return schema;
    }

    private static JsonObject Union(Random random) => new()
    {
        ["anyOf"] = new JsonArray(Scalar(random), Object(random, 2, () => Scalar(random)), Array(random, Scalar(random)), Object(random, 3, () => Scalar(random)), Integers(random)),
    };

    private static JsonObject Exclusive(Random random) => new()
    {
        ["oneOf"] = new JsonArray(
        [
            .. new[] { "circle", "square", "line" }.Select(name => new JsonObject
            {
                ["type"] = "object",
                ["properties"] = new JsonObject { ["kind"] = new JsonObject { ["const"] = name }, ["size"] = Scalar(random), ["a"] = Integers(random) },
                ["required"] = new JsonArray("kind", "size"),
                ["additionalProperties"] = false,
            }),
        ]),
    };

    private static JsonObject Combined(Random random) => new()
    {
        ["allOf"] = new JsonArray(
            new JsonObject { ["type"] = "object", ["properties"] = new JsonObject { ["a"] = new JsonObject { ["type"] = "integer", ["minimum"] = -20 } }, ["required"] = new JsonArray("a") },
            new JsonObject { ["properties"] = new JsonObject { ["a"] = new JsonObject { ["maximum"] = random.Next(0, 500) }, ["b"] = Scalar(random) } },
            new JsonObject { ["required"] = new JsonArray("b"), ["properties"] = new JsonObject { ["a"] = true, ["b"] = true, ["c"] = Array(random, Scalar(random)) }, ["additionalProperties"] = false }),
    };

    private static JsonObject Open(Random random)
    {
        JsonObject schema = Object(random, 1 + random.Next(3), () => Scalar(random));
        if (random.Next(2) == 0) schema["additionalProperties"] = Scalar(random);
        else schema.Remove("additionalProperties");
        return schema;
    }

    private static JsonObject Counted(Random random)
    {
        JsonObject schema = Open(random);
        schema["minProperties"] = 2;
        schema["maxProperties"] = 4 + random.Next(3);
        return schema;
    }

    internal static string Letters(Random random, int min, int max) =>
        string.Concat(Enumerable.Range(0, random.Next(min, max + 1)).Select(_ => (char)('a' + random.Next(26))));
}
