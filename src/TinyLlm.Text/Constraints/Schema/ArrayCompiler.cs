using System.Text.Json;

namespace TinyLlm.Text.Constraints;

/// <summary>Joins the keywords of arrays.</summary>
internal static class ArrayCompiler
{
    public static ArrayShape? Compile(IReadOnlyList<SchemaLeaf> leaves, SchemaCompiler compiler)
    {
        int min = 0, prefix = 0;
        int? max = null;
        foreach (SchemaLeaf leaf in leaves)
        {
            int leafMin = leaf.Place.Count("minItems") ?? 0;
            int? leafMax = leaf.Place.Count("maxItems");
            if (leafMin > leafMax) throw leaf.Place.Fault(SchemaError.Unsatisfiable, "minItems", $"no array has at least {leafMin} and at most {leafMax} items");
            min = Math.Max(min, leafMin);
            if (!(leafMax >= max)) max = leafMax ?? max;
            if (leaf.Place.Keyword("items") is { ValueKind: JsonValueKind.Array })
                throw leaf.Place.Fault(SchemaError.Unsupported, "items", "a list here is of an older draft: use prefixItems");
            prefix = Math.Max(prefix, PrefixLength(leaf.Place));
        }
        if (min > max) return null;
        ValueShape[] first = [.. Enumerable.Range(0, prefix).Select(index => compiler.ShapeOf(leaves.SelectMany(leaf => Item(leaf.Place, index))))];
        return new ArrayShape(first, compiler.ShapeOf(leaves.SelectMany(leaf => Item(leaf.Place, prefix))), min, max);
    }

    private static int PrefixLength(SchemaPlace place)
    {
        if (place.Keyword("prefixItems", JsonValueKind.Array) is not { } list) return 0;
        return list.GetArrayLength() <= ConstraintLimits.MaxPrefixItems
            ? list.GetArrayLength()
            : throw place.Fault(SchemaError.TooLarge, "prefixItems", $"it has {list.GetArrayLength()} items, and may have {ConstraintLimits.MaxPrefixItems}");
    }

    private static IEnumerable<SchemaPlace> Item(SchemaPlace place, int index)
    {
        if (place.Keyword("prefixItems") is { } list && index < list.GetArrayLength()) yield return place.Child(list[index], "prefixItems", $"{index}");
        else if (place.Keyword("items") is { } items) yield return place.Child(items, "items");
    }
}
