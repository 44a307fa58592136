namespace TinyLlm.Text.Constraints;

/// <summary>A regular expression of the supported subset, as a tree.</summary>
internal abstract record PatternTree
{
    /// <summary>One code point of these.</summary>
    public sealed record Characters(IReadOnlyList<CodePointRange> Ranges) : PatternTree;

    /// <summary>One after the other; none is the empty string.</summary>
    public sealed record Sequence(IReadOnlyList<PatternTree> Items) : PatternTree;

    /// <summary>One of them.</summary>
    public sealed record Choice(IReadOnlyList<PatternTree> Items) : PatternTree;

    /// <summary>So many times; no <paramref name="Max"/>: without end.</summary>
    public sealed record Repeat(PatternTree Item, int Min, int? Max) : PatternTree;

    /// <summary>Holds where the string begins.</summary>
    public sealed record Begin : PatternTree;

    /// <summary>Holds where the string ends.</summary>
    public sealed record End : PatternTree;
}
