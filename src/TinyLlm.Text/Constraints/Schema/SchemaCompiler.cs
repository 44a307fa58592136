using System.Text.Json;

namespace TinyLlm.Text.Constraints;

/// <summary>
/// Makes shapes of a schema. (1) A value is held to a set of places in the schema; each set is compiled once, so recursion closes circles. (2) The set is expanded to
/// alternatives. (3) Each alternative's keywords are joined type by type; its properties and items are sets of places again. (4) At the end, what no finite
/// document satisfies is taken out.
/// </summary>
internal sealed class SchemaCompiler
{
    private readonly JsonElement _root;
    private readonly SchemaExpander _expander;
    private readonly Dictionary<string, ValueShape> _shapes = new(StringComparer.Ordinal);
    private readonly Queue<(ValueShape Shape, SchemaPlace[] Places)> _left = [];
    private readonly StringCompiler _strings = new();

    public SchemaCompiler(JsonElement root)
    {
        _root = root;
        _expander = new SchemaExpander(root);
    }

    /// <exception cref="SchemaException">The schema is refused.</exception>
    public ValueShape Compile()
    {
        ValueShape root = ShapeOf([new SchemaPlace(_root, "#")]);
        Finish();
        List<(ValueShape Both, string Pointer)> exclusive = [];
        for (int i = 0; i < _expander.Exclusive.Count; i++)
        {
            (SchemaPlace first, SchemaPlace second, string pointer) = _expander.Exclusive[i];
            exclusive.Add((ShapeOf([first, second]), pointer));
            Finish();
        }
        ShapeDepths.Compute([.. _shapes.Values]);
        foreach ((ValueShape both, string pointer) in exclusive)
        {
            if (both.LeastDepth != ValueShape.Never)
                throw new SchemaException(SchemaError.Ambiguous, pointer, "a value can satisfy this branch of oneOf and another one: make them exclude each other, or use anyOf");
        }
        if (root.LeastDepth > ConstraintLimits.MaxDepth)
            throw new SchemaException(SchemaError.Unsatisfiable, ShapeDepths.Culprit(root).Pointer, "no document satisfies this");
        ShapeDepths.Prune([.. _shapes.Values]);
        return root;
    }

    /// <summary>The shape of a value that all of the places allow. It is filled later.</summary>
    public ValueShape ShapeOf(IEnumerable<SchemaPlace> places)
    {
        SchemaPlace[] set = [.. places.Distinct().OrderBy(place => place.Pointer, StringComparer.Ordinal)];
        string key = string.Join('\n', set.Select(place => place.Pointer));
        if (_shapes.TryGetValue(key, out ValueShape? known)) return known;
        string pointer = set.Length == 0 ? "#" : set[0].Pointer;
        if (_shapes.Count == ConstraintLimits.MaxShapes)
            throw new SchemaException(SchemaError.TooLarge, pointer, $"the schema describes more than {ConstraintLimits.MaxShapes} kinds of values");
        ValueShape shape = new(pointer);
        _shapes.Add(key, shape);
        _left.Enqueue((shape, set));
        return shape;
    }

    private void Finish()
    {
        while (_left.TryDequeue(out (ValueShape Shape, SchemaPlace[] Places) next))
        {
            foreach (IReadOnlyList<SchemaLeaf> leaves in _expander.Expand(next.Places)) next.Shape.Alternatives.Add(Join(leaves));
        }
    }

    private ShapeAlternative Join(IReadOnlyList<SchemaLeaf> leaves)
    {
        SchemaTypes types = SchemaTypes.All;
        foreach (SchemaLeaf leaf in leaves) types &= TypeKeyword.Read(leaf.Place);
        // Every keyword is read whether its type is allowed or not, so that a malformed one is always refused.
        ShapeAlternative alternative = new()
        {
            Number = NumberCompiler.Compile(leaves, types),
            String = _strings.Compile(leaves),
            Array = ArrayCompiler.Compile(leaves, this),
            Object = ObjectCompiler.Compile(leaves, this),
        };
        bool isListed = leaves.Any(leaf => leaf.Scalars is not null);
        if (isListed) return ScalarCompiler.Compile(leaves, types, alternative, _strings);
        if ((types & SchemaTypes.Number) == 0) alternative.Number = null;
        if ((types & SchemaTypes.String) == 0) alternative.String = null;
        if ((types & SchemaTypes.Array) == 0) alternative.Array = null;
        if ((types & SchemaTypes.Object) == 0) alternative.Object = null;
        alternative.Words = TypeKeyword.Words(types);
        return alternative;
    }
}
