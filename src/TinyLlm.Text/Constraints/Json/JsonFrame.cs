namespace TinyLlm.Text.Constraints;

/// <summary>
/// One reading of the JSON written so far: what is open now, and through <see cref="Outer"/> everything round it. Immutable. From every frame the document
/// can be completed, so following frames never leads into a dead end.
/// </summary>
internal abstract class JsonFrame(JsonFrame? outer)
{
    /// <summary>What goes on when this is complete; null for the document.</summary>
    protected JsonFrame Outer => outer ?? throw new InvalidOperationException("nothing is round the document");

    /// <summary>Whether the document may end here.</summary>
    public virtual bool IsComplete => false;

    /// <summary>Where this is free text of a string: the place in it, which alone decides about tokens without a quotation mark.</summary>
    public virtual StringCursor? Text => null;

    /// <summary>Tells <paramref name="readings"/> every reading that goes on with <paramref name="value"/>.</summary>
    public abstract void Step(byte value, JsonReadings readings);

    protected static bool IsWhitespace(byte value) => value is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t';
}
