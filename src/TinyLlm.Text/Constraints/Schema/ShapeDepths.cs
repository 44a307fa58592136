namespace TinyLlm.Text.Constraints;

/// <summary>
/// Finds for every shape how deep its shallowest document nests, by a least fixed point: what has none (a circle without a way out, a required property that nothing
/// satisfies) keeps <see cref="ValueShape.Never"/>.
/// </summary>
internal static class ShapeDepths
{
    public static void Compute(IReadOnlyList<ValueShape> shapes)
    {
        bool isChanged;
        do
        {
            isChanged = false;
            foreach (ValueShape shape in shapes)
            {
                int depth = shape.Alternatives.Select(Of).DefaultIfEmpty(ValueShape.Never).Min();
                if (depth == shape.LeastDepth) continue;
                shape.LeastDepth = depth;
                isChanged = true;
            }
        }
        while (isChanged);
    }

    /// <summary>Takes out what no document satisfies.</summary>
    public static void Prune(IReadOnlyList<ValueShape> shapes)
    {
        foreach (ShapeAlternative alternative in shapes.SelectMany(shape => shape.Alternatives))
        {
            if (alternative.Array is { LeastDepth: ValueShape.Never }) alternative.Array = null;
            if (alternative.Object is { LeastDepth: ValueShape.Never }) alternative.Object = null;
        }
    }

    /// <summary>The innermost place on a required way that makes a shape unsatisfiable.</summary>
    public static ValueShape Culprit(ValueShape shape)
    {
        HashSet<ValueShape> seen = [];
        while (seen.Add(shape))
        {
            ValueShape? inner = shape.Alternatives.SelectMany(Required).FirstOrDefault(child => child.LeastDepth == ValueShape.Never && !seen.Contains(child));
            if (inner is null) break;
            shape = inner;
        }
        return shape;
    }

    private static IEnumerable<ValueShape> Required(ShapeAlternative alternative)
    {
        if (alternative.Object is { } members)
        {
            for (int i = 0; i < members.Shapes.Count; i++)
            {
                if (members.Required.Contains(i)) yield return members.Shapes[i];
            }
        }
        if (alternative.Array is { } array)
        {
            for (int i = 0; i < Math.Min(array.MinItems, array.First.Count + 1); i++) yield return i < array.First.Count ? array.First[i] : array.Rest;
        }
    }

    private static int Of(ShapeAlternative alternative)
    {
        bool isScalar = alternative.Words.Length > 0 || alternative.Number is not null || alternative.String is not null;
        int depth = isScalar ? 0 : ValueShape.Never;
        if (alternative.Array is { } array) depth = Math.Min(depth, array.LeastDepth = Of(array));
        if (alternative.Object is { } members) depth = Math.Min(depth, members.LeastDepth = Of(members));
        return depth;
    }

    private static int Of(ArrayShape array)
    {
        int inner = 0;
        for (int i = 0; i < Math.Min(array.MinItems, array.First.Count + 1); i++)
            inner = Math.Max(inner, (i < array.First.Count ? array.First[i] : array.Rest).LeastDepth);
        return OneMore(inner);
    }

    private static int Of(ObjectShape members)
    {
        int inner = 0, required = 0;
        List<int> optional = [];
        for (int i = 0; i < members.Shapes.Count; i++)
        {
            int depth = members.Shapes[i].LeastDepth;
            if (!members.Required.Contains(i))
            {
                optional.Add(depth);
                continue;
            }
            inner = Math.Max(inner, depth);
            required++;
        }
        // Further members that the least number of properties asks for: the shallowest that there are. Others can be had without end.
        optional.Sort();
        for (int i = 0; i < Math.Min(members.MinProperties - required, optional.Count + 1); i++)
            inner = Math.Max(inner, Math.Min(i < optional.Count ? optional[i] : ValueShape.Never, members.Others.LeastDepth));
        return OneMore(inner);
    }

    private static int OneMore(int inner) => inner == ValueShape.Never ? ValueShape.Never : inner + 1;
}
