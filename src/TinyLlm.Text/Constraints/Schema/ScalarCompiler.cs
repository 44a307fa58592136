using System.Text.Json;

namespace TinyLlm.Text.Constraints;

/// <summary>Scalars of an enum or const, as far as the other keywords allow them. Numbers are written as the schema writes them, or as plain integers.</summary>
internal static class ScalarCompiler
{
    /// <param name="leaves">What all holds.</param>
    /// <param name="types">The types that are allowed.</param>
    /// <param name="others">What the other keywords make of each type.</param>
    /// <param name="strings">Makes the strings' automaton.</param>
    public static ShapeAlternative Compile(IReadOnlyList<SchemaLeaf> leaves, SchemaTypes types, ShapeAlternative others, StringCompiler strings)
    {
        SchemaLeaf first = leaves.First(leaf => leaf.Scalars is not null);
        SortedSet<string> words = new(StringComparer.Ordinal);
        List<string> texts = [];
        foreach (JsonElement value in first.Scalars!)
        {
            if (!leaves.All(leaf => leaf.Scalars is null || leaf.Scalars.Any(other => JsonElement.DeepEquals(value, other)))) continue;
            switch (value.ValueKind)
            {
                case JsonValueKind.Number:
                    AddNumber(leaves, types, first.Place, value, words);
                    break;
                case JsonValueKind.String when (types & SchemaTypes.String) != 0:
                    string text = first.Place.Text(value, "enum");
                    if (others.String is { } shape && Allows(shape, text)) texts.Add(text);
                    break;
                case JsonValueKind.Null when (types & SchemaTypes.Null) != 0:
                case JsonValueKind.True or JsonValueKind.False when (types & SchemaTypes.Boolean) != 0:
                    words.Add(value.GetRawText());
                    break;
            }
        }
        return new ShapeAlternative { Words = [.. words], String = texts.Count > 0 ? strings.Words(texts, first.Place) : null };
    }

    private static void AddNumber(IReadOnlyList<SchemaLeaf> leaves, SchemaTypes types, SchemaPlace place, JsonElement value, SortedSet<string> words)
    {
        if (!value.TryGetDecimal(out decimal number)) throw place.Fault(SchemaError.Unsupported, "enum", "its numbers must be below 7.9e28 in magnitude");
        if (!NumberCompiler.Allows(leaves, types, number)) return;
        words.Add(value.GetRawText());
        if (number == decimal.Truncate(number)) words.Add(decimal.Truncate(number).ToString(System.Globalization.CultureInfo.InvariantCulture));
    }

    private static bool Allows(StringShape shape, string text)
    {
        int length = text.EnumerateRunes().Count();
        return length >= shape.MinLength && !(length > shape.MaxLength) && (shape.Language is not Dfa language || language.Accepts(text));
    }
}
