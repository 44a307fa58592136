namespace TinyLlm.Text.Constraints;

/// <summary>One end of a range of numbers.</summary>
internal sealed record NumberBound(decimal Value, bool IsExclusive);
