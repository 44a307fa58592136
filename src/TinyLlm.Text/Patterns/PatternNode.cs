namespace TinyLlm.Text.Patterns;

/// <summary>A regular expression as a tree. There are no captures and no back references, so what matches at a place depends on the place alone.</summary>
internal abstract record PatternNode
{
    public sealed record One(CodePoints Set) : PatternNode;

    public sealed record Sequence(IReadOnlyList<PatternNode> Items) : PatternNode;

    /// <summary>The first alternative that leads to a match wins.</summary>
    public sealed record Choice(IReadOnlyList<PatternNode> Items) : PatternNode;

    /// <param name="Item">What is repeated.</param>
    /// <param name="Min">At least so often.</param>
    /// <param name="Max">At most so often; null for any number.</param>
    /// <param name="Greedy">Whether more is tried first.</param>
    public sealed record Repeat(PatternNode Item, int Min, int? Max, bool Greedy) : PatternNode;

    /// <summary>Matches as its item does first, and is never tried another way (possessive repeats too).</summary>
    public sealed record Atomic(PatternNode Item) : PatternNode;

    /// <summary>What follows must match (or not) and is not consumed.</summary>
    public sealed record Look(PatternNode Item, bool Negative) : PatternNode;

    /// <summary>The character before must be in the set (or must not).</summary>
    public sealed record LookBehind(CodePoints Set, bool Negative) : PatternNode;

    public sealed record Start : PatternNode;

    public sealed record End : PatternNode;
}
