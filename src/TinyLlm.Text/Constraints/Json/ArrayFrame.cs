namespace TinyLlm.Text.Constraints;

/// <summary>Inside an array, between its items: after the opening bracket, or after an item.</summary>
internal sealed class ArrayFrame : JsonFrame
{
    private readonly ArrayShape _shape;
    private readonly int _items, _whitespace, _depth;

    private ArrayFrame(ArrayShape shape, int items, int whitespace, int depth, JsonFrame outer)
        : base(outer) => (_shape, _items, _whitespace, _depth) = (shape, items, whitespace, depth);

    public static ArrayFrame Begin(ArrayShape shape, int depth, JsonFrame outer) => new(shape, 0, 0, depth, outer);

    public override void Step(byte value, JsonReadings readings)
    {
        if (IsWhitespace(value))
        {
            if (_whitespace < ConstraintLimits.MaxWhitespace) readings.Add(new ArrayFrame(_shape, _items, _whitespace + 1, _depth, Outer));
            return;
        }
        if (value == ']')
        {
            if (_items >= _shape.MinItems) readings.Add(Outer);
            return;
        }
        if ((_items > 0 && value != ',') || _shape.Item(_items, _depth) is not { } shape) return;
        ValueFrame item = new(shape, 0, _depth, new ArrayFrame(_shape, _items + 1, 0, _depth, Outer));
        if (_items > 0) readings.Add(item);
        else item.Step(value, readings);
    }
}
