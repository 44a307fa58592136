namespace TinyLlm.Text.Constraints;

/// <summary>Between a key and its value.</summary>
internal sealed class ColonFrame(ValueFrame value, int whitespace) : JsonFrame(value)
{
    public override void Step(byte next, JsonReadings readings)
    {
        if (next == ':') readings.Add(Outer);
        else if (IsWhitespace(next) && whitespace < ConstraintLimits.MaxWhitespace) readings.Add(new ColonFrame(value, whitespace + 1));
    }
}
