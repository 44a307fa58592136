using System.Text.Json;

namespace TinyLlm.Text.Constraints;

/// <summary>Joins the keywords of objects. A property that only one schema names is in the others one of their additional properties.</summary>
internal static class ObjectCompiler
{
    public static ObjectShape? Compile(IReadOnlyList<SchemaLeaf> leaves, SchemaCompiler compiler)
    {
        int min = 0;
        int? max = null;
        OrderedDictionary<string, bool> names = new(StringComparer.Ordinal); // whether it is required
        foreach (SchemaLeaf leaf in leaves)
        {
            int leafMin = leaf.Place.Count("minProperties") ?? 0;
            int? leafMax = leaf.Place.Count("maxProperties");
            if (leafMin > leafMax)
                throw leaf.Place.Fault(SchemaError.Unsatisfiable, "minProperties", $"no object has at least {leafMin} and at most {leafMax} properties");
            min = Math.Max(min, leafMin);
            if (!(leafMax >= max)) max = leafMax ?? max;
            if (leaf.Place.Keyword("properties", JsonValueKind.Object) is { } properties)
            {
                foreach (JsonProperty property in properties.EnumerateObject()) names.TryAdd(property.Name, false);
            }
            if (leaf.Place.Keyword("required", JsonValueKind.Array) is { } required)
            {
                foreach (JsonElement name in required.EnumerateArray()) names[leaf.Place.Text(name, "required")] = true;
            }
            if (names.Count > ConstraintLimits.MaxProperties)
                throw leaf.Place.Fault(SchemaError.TooLarge, "properties", $"an object names {names.Count} properties, and may name {ConstraintLimits.MaxProperties}");
        }
        if (min > max || names.Values.Count(isRequired => isRequired) > max) return null;
        ValueShape[] shapes = [.. names.Keys.Select(name => compiler.ShapeOf(leaves.SelectMany(leaf => Property(leaf.Place, name))))];
        ValueShape others = compiler.ShapeOf(leaves.SelectMany(leaf => Others(leaf.Place)));
        KeySet requiredSet = KeySet.Of(names.Count, Enumerable.Range(0, names.Count).Where(index => names.GetAt(index).Value));
        return new ObjectShape([.. names.Keys], shapes, requiredSet, others, min, max);
    }

    private static IEnumerable<SchemaPlace> Property(SchemaPlace place, string name)
    {
        if (place.Keyword("properties") is { } properties && properties.TryGetProperty(name, out JsonElement property))
            return [place.Child(property, "properties", name)];
        return Others(place);
    }

    private static IEnumerable<SchemaPlace> Others(SchemaPlace place) =>
        place.Keyword("additionalProperties") is { } others ? [place.Child(others, "additionalProperties")] : [];
}
