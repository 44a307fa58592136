namespace TinyLlm.Text.Constraints;

/// <summary>Inside a string that is a value.</summary>
internal sealed class StringFrame(StringShape shape, StringCursor cursor, JsonFrame outer) : JsonFrame(outer)
{
    public override StringCursor? Text => cursor;

    public override void Step(byte value, JsonReadings readings)
    {
        if (value == '"' && cursor.IsBetweenCharacters)
        {
            if (cursor.Characters >= shape.MinLength && shape.Language.IsEnd(cursor.State)) readings.Add(Outer);
        }
        else if (cursor.TryStep(value, out StringCursor next))
        {
            readings.Add(new StringFrame(shape, next, Outer));
        }
    }
}
