namespace TinyLlm.Text.Patterns;

/// <summary>One instruction of a <see cref="PatternMatcher"/>; the next one follows unless said otherwise.</summary>
internal abstract record PatternInstruction
{
    /// <summary>One character of the set, or failure.</summary>
    public sealed record One(CodePoints Set) : PatternInstruction;

    /// <summary>As many characters of the set as there are, given back one by one on failure: the usual repeat, in one instruction.</summary>
    public sealed record Run(CodePoints Set, int Min, int Max) : PatternInstruction;

    /// <summary>Tries <paramref name="First"/>, and on failure <paramref name="Second"/>.</summary>
    public sealed record Fork(int First, int Second) : PatternInstruction;

    public sealed record Jump(int To) : PatternInstruction;

    /// <summary>Fails when nothing was consumed since the loop's last round, so that an empty item can't loop for ever.</summary>
    public sealed record Progress(int Slot) : PatternInstruction;

    /// <summary>Notes where a round of a loop begins.</summary>
    public sealed record Mark(int Slot) : PatternInstruction;

    /// <summary>Runs the instructions from the next one to their <see cref="Accept"/>, then goes on at <paramref name="After"/>.</summary>
    public sealed record Sub(SubKind Kind, int After) : PatternInstruction;

    public sealed record Behind(CodePoints Set, bool Negative) : PatternInstruction;

    public sealed record Start : PatternInstruction;

    public sealed record End : PatternInstruction;

    public sealed record Accept : PatternInstruction;

    public enum SubKind
    {
        Ahead,
        NotAhead,
        Atomic,
    }
}
