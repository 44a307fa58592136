namespace TinyLlm.Text.Constraints;

/// <summary>Inside a number. Only the byte after it tells that it is over.</summary>
internal sealed class NumberFrame(NumberShape shape, NumberProgress progress, JsonFrame outer) : JsonFrame(outer)
{
    // At the top level nothing is round the number but the end.
    public override bool IsComplete => Outer.IsComplete && shape.IsEnd(progress);

    public static void Begin(NumberShape shape, byte value, JsonFrame outer, JsonReadings readings)
    {
        if (shape.Next(default, value) is { } next) readings.Add(new NumberFrame(shape, next, outer));
    }

    public override void Step(byte value, JsonReadings readings)
    {
        if (shape.Next(progress, value) is { } next) readings.Add(new NumberFrame(shape, next, Outer));
        else if (!NumberShape.IsPart(value) && shape.IsEnd(progress)) readings.AddClosed(Outer);
    }
}
