namespace TinyLlm.Text.Constraints;

/// <summary>What a value may be: one of several alternatives. Shapes may lead to each other in circles, so they are filled after they are made.</summary>
internal sealed class ValueShape(string pointer)
{
    /// <summary>LeastDepth of what no document satisfies.</summary>
    public const int Never = int.MaxValue;

    /// <summary>The place in the schema, for messages.</summary>
    public string Pointer => pointer;

    public List<ShapeAlternative> Alternatives { get; } = [];

    /// <summary>Containers that the shallowest value has in each other; 0 for a scalar.</summary>
    public int LeastDepth { get; set; } = Never;

    /// <summary>Whether a value fits at this depth.</summary>
    public bool Fits(int depth) => LeastDepth <= ConstraintLimits.MaxDepth - depth;
}
