using System.Text.Json;

namespace TinyLlm.Text.Constraints;

/// <summary>
/// Resolves <c>$ref</c>, <c>allOf</c>, <c>anyOf</c>, <c>oneOf</c>, and containers in an enum: what several schemas together allow becomes a list of alternatives, each of
/// which is a list of schemas whose own keywords all hold.
/// </summary>
internal sealed class SchemaExpander(JsonElement root)
{
    private static readonly IReadOnlyList<IReadOnlyList<SchemaLeaf>> Anything = [[]];

    /// <summary>Pairs of branches of a oneOf: the schema is refused if a document can satisfy both of a pair.</summary>
    public List<(SchemaPlace First, SchemaPlace Second, string Pointer)> Exclusive { get; } = [];

    private readonly HashSet<string> _seenOneOf = new(StringComparer.Ordinal);

    public IReadOnlyList<IReadOnlyList<SchemaLeaf>> Expand(IEnumerable<SchemaPlace> places)
    {
        IReadOnlyList<IReadOnlyList<SchemaLeaf>> result = Anything;
        foreach (SchemaPlace place in places) result = Both(result, Expand(place, []), place);
        return result;
    }

    private IReadOnlyList<IReadOnlyList<SchemaLeaf>> Expand(SchemaPlace place, IReadOnlyList<string> path)
    {
        SchemaKeywords.Check(place);
        if (place.Element.ValueKind == JsonValueKind.True) return Anything;
        if (place.Element.ValueKind == JsonValueKind.False) return [];
        if (path.Contains(place.Pointer)) throw new SchemaException(SchemaError.Unsatisfiable, place.Pointer, "the schema refers to itself without an end");
        IReadOnlyList<string> inner = [.. path, place.Pointer];

        IReadOnlyList<IReadOnlyList<SchemaLeaf>> result = Values(place, inner);
        if (place.Keyword("$ref", JsonValueKind.String) is { } reference) result = Both(result, Expand(Resolve(place, place.Text(reference, "$ref")), inner), place);
        foreach (SchemaPlace part in Parts(place, "allOf")) result = Both(result, Expand(part, inner), place);
        if (Parts(place, "anyOf") is { Count: > 0 } any) result = Both(result, [.. any.SelectMany(part => Expand(part, inner))], place);
        if (Parts(place, "oneOf") is { Count: > 0 } one)
        {
            AddExclusive(one);
            result = Both(result, [.. one.SelectMany(part => Expand(part, inner))], place);
        }
        return result;
    }

    /// <summary>The schema itself; where it lists containers, each of them as a schema that only it satisfies.</summary>
    private List<IReadOnlyList<SchemaLeaf>> Values(SchemaPlace place, IReadOnlyList<string> path)
    {
        List<JsonElement>? values = null;
        if (place.Keyword("enum", JsonValueKind.Array) is { } list)
        {
            if (list.GetArrayLength() is 0) throw place.Fault(SchemaError.Unsatisfiable, "enum", "it lists no value");
            if (list.GetArrayLength() > ConstraintLimits.MaxEnumValues)
                throw place.Fault(SchemaError.TooLarge, "enum", $"it lists {list.GetArrayLength()} values, and may list {ConstraintLimits.MaxEnumValues}");
            values = [.. list.EnumerateArray()];
        }
        if (place.Keyword("const") is { } only) values = values is null || values.Any(value => JsonElement.DeepEquals(value, only)) ? [only] : [];
        if (values is null) return [[new SchemaLeaf(place, null)]];

        List<IReadOnlyList<SchemaLeaf>> result = [];
        JsonElement[] scalars = [.. values.Where(value => value.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array))];
        if (scalars.Length > 0) result.Add([new SchemaLeaf(place, scalars)]);
        for (int i = 0; i < values.Count; i++)
        {
            if (values[i].ValueKind is not (JsonValueKind.Object or JsonValueKind.Array)) continue;
            SchemaPlace exact = place.Child(JsonSerializer.SerializeToElement(Exactly(values[i])), "enum", $"{i}");
            foreach (IReadOnlyList<SchemaLeaf> leaves in Expand(exact, path)) result.Add([new SchemaLeaf(place, null), .. leaves]);
        }
        return result;
    }

    private static Dictionary<string, object> Exactly(JsonElement value) => value.ValueKind == JsonValueKind.Object
        ? new Dictionary<string, object>
        {
            ["type"] = "object",
            ["properties"] = value.EnumerateObject().ToDictionary(property => property.Name, property => new Dictionary<string, JsonElement> { ["const"] = property.Value }),
            ["required"] = value.EnumerateObject().Select(property => property.Name).ToArray(),
            ["additionalProperties"] = false,
        }
        : new Dictionary<string, object>
        {
            ["type"] = "array",
            ["prefixItems"] = value.EnumerateArray().Select(item => new Dictionary<string, JsonElement> { ["const"] = item }).ToArray(),
            ["minItems"] = value.GetArrayLength(),
            ["maxItems"] = value.GetArrayLength(),
        };

    private static IReadOnlyList<SchemaPlace> Parts(SchemaPlace place, string keyword)
    {
        if (place.Keyword(keyword, JsonValueKind.Array) is not { } list) return [];
        if (list.GetArrayLength() == 0) throw place.Bad(keyword, "must have at least one schema");
        return [.. list.EnumerateArray().Select((part, index) => place.Child(part, keyword, $"{index}"))];
    }

    private void AddExclusive(IReadOnlyList<SchemaPlace> branches)
    {
        for (int second = 1; second < branches.Count; second++)
        {
            if (!_seenOneOf.Add(branches[second].Pointer)) return;
            for (int first = 0; first < second; first++) Exclusive.Add((branches[first], branches[second], branches[second].Pointer));
        }
    }

    private SchemaPlace Resolve(SchemaPlace place, string reference)
    {
        if (reference is not "#" && !reference.StartsWith("#/", StringComparison.Ordinal))
            throw place.Fault(SchemaError.UnknownReference, "$ref", "only references into the schema itself are supported (\"#/$defs/name\")");
        SchemaPlace at = new(root, "#");
        foreach (string part in reference.Split('/').Skip(1))
        {
            string name = Uri.UnescapeDataString(part).Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            JsonElement? next = at.Element.ValueKind switch
            {
                JsonValueKind.Object => at.Keyword(name),
                JsonValueKind.Array when int.TryParse(name, out int index) && index >= 0 && index < at.Element.GetArrayLength() => at.Element[index],
                _ => null,
            };
            at = at.Child(next ?? throw place.Fault(SchemaError.UnknownReference, "$ref", "it refers to a place that the schema does not have"), name);
        }
        return at;
    }

    private static IReadOnlyList<IReadOnlyList<SchemaLeaf>> Both(
        IReadOnlyList<IReadOnlyList<SchemaLeaf>> first, IReadOnlyList<IReadOnlyList<SchemaLeaf>> second, SchemaPlace place)
    {
        if (ReferenceEquals(first, Anything)) return second;
        if (ReferenceEquals(second, Anything)) return first;
        if ((long)first.Count * second.Count > ConstraintLimits.MaxAlternatives)
            throw new SchemaException(SchemaError.TooLarge, place.Pointer, $"its combinations make more than {ConstraintLimits.MaxAlternatives} alternatives");
        return [.. first.SelectMany(a => second.Select(b => (IReadOnlyList<SchemaLeaf>)[.. a, .. b.Where(leaf => !a.Contains(leaf))]))];
    }
}
