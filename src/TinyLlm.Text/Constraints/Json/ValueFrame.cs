namespace TinyLlm.Text.Constraints;

/// <summary>A value is to begin. Its first byte says of which type it is; alternatives of one type are followed side by side.</summary>
internal sealed class ValueFrame(ValueShape shape, int whitespace, int depth, JsonFrame outer) : JsonFrame(outer)
{
    public override void Step(byte value, JsonReadings readings)
    {
        if (IsWhitespace(value))
        {
            if (whitespace < ConstraintLimits.MaxWhitespace) readings.Add(new ValueFrame(shape, whitespace + 1, depth, Outer));
            return;
        }
        foreach (ShapeAlternative alternative in shape.Alternatives) Begin(alternative, value, readings);
    }

    private void Begin(ShapeAlternative alternative, byte value, JsonReadings readings)
    {
        WordsFrame.Begin(alternative.Words, value, Outer, readings);
        switch (value)
        {
            case (byte)'"':
                if (alternative.String is { } text) readings.Add(new StringFrame(text, text.Begin(), Outer));
                break;
            case (byte)'[':
                if (alternative.Array is { } array && depth + array.LeastDepth <= ConstraintLimits.MaxDepth) readings.Add(ArrayFrame.Begin(array, depth + 1, Outer));
                break;
            case (byte)'{':
                if (alternative.Object is { } members && depth + members.LeastDepth <= ConstraintLimits.MaxDepth)
                    readings.Add(ObjectFrame.Begin(members, depth + 1, Outer));
                break;
            default:
                if (alternative.Number is { } number) NumberFrame.Begin(number, value, Outer, readings);
                break;
        }
    }
}
