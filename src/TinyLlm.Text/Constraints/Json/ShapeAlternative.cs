namespace TinyLlm.Text.Constraints;

/// <summary>One alternative of a value, by type; a type that is null (or without words) is not allowed by it.</summary>
internal sealed class ShapeAlternative
{
    /// <summary>Fixed words in ordinal order: null, true, false, and numbers of an enum.</summary>
    public string[] Words { get; set; } = [];

    public NumberShape? Number { get; set; }

    public StringShape? String { get; set; }

    public ArrayShape? Array { get; set; }

    public ObjectShape? Object { get; set; }
}
