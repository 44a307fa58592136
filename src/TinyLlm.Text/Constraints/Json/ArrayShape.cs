namespace TinyLlm.Text.Constraints;

/// <summary>Arrays: the first items one by one, then any number of one shape.</summary>
internal sealed class ArrayShape(IReadOnlyList<ValueShape> first, ValueShape rest, int minItems, int? maxItems)
{
    public int MinItems => minItems;

    public IReadOnlyList<ValueShape> First => first;

    public ValueShape Rest => rest;

    /// <summary>1 for an array that can be empty; one more than its items' where it can't.</summary>
    public int LeastDepth { get; set; } = ValueShape.Never;

    /// <summary>The shape of the item at <paramref name="index"/> in an array whose items lie at <paramref name="depth"/>; null: there can be none.</summary>
    public ValueShape? Item(int index, int depth)
    {
        if (index >= maxItems) return null;
        ValueShape shape = index < first.Count ? first[index] : rest;
        return shape.Fits(depth) ? shape : null;
    }
}
