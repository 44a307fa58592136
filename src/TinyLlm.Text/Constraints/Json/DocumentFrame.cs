namespace TinyLlm.Text.Constraints;

/// <summary>The document is complete; white space may follow.</summary>
internal sealed class DocumentFrame(int whitespace) : JsonFrame(null)
{
    public override bool IsComplete => true;

    public override void Step(byte value, JsonReadings readings)
    {
        if (IsWhitespace(value) && whitespace < ConstraintLimits.MaxWhitespace) readings.Add(new DocumentFrame(whitespace + 1));
    }
}
