using System.Text;

namespace TinyLlm.Text.Patterns;

/// <summary>
/// Runs a regular expression over code points, with the meaning of the backtracking engine that the reference uses: the first alternative that leads to a match.
/// The base library's engine can't be used: it sees UTF-16 units, so its <c>\p{L}</c> misses every letter beyond the basic plane.
/// Foreign patterns may backtrack for ever, so steps are counted; the stack of alternatives is on the heap.
/// </summary>
internal sealed class PatternMatcher : PieceMatcher
{
    private readonly PatternInstruction[] program;
    private readonly int slots;

    public PatternMatcher(string pattern) => (program, slots) = PatternCompiler.Compile(PatternParser.Parse(pattern));

    public override (int Start, int End)? Find(ReadOnlySpan<char> text, int from, ref long steps)
    {
        Stack<Alternative> alternatives = new();
        int[] marks = new int[slots];
        for (int start = from; start <= text.Length; start += CharsAt(text, start))
        {
            if (Match(text, 0, start, alternatives, marks, ref steps) is { } end) return (start, end);
        }
        return null;
    }

    /// <summary>Where the match from <paramref name="pc"/> at <paramref name="at"/> ends, or null. Recursion is bounded by the pattern's nesting.</summary>
    private int? Match(ReadOnlySpan<char> text, int pc, int at, Stack<Alternative> alternatives, int[] marks, ref long steps)
    {
        int floor = alternatives.Count;
        while (true)
        {
            if (--steps < 0) throw TooSlow();
            bool goesOn = true;
            switch (program[pc])
            {
                case PatternInstruction.One one:
                    goesOn = TryOne(text, one.Set, ref at);
                    pc++;
                    break;
                case PatternInstruction.Run run:
                    goesOn = TryRun(text, run, ref at, pc + 1, alternatives, ref steps);
                    pc++;
                    break;
                case PatternInstruction.Fork fork:
                    alternatives.Push(new Alternative(fork.Second, at, at));
                    pc = fork.First;
                    break;
                case PatternInstruction.Jump jump: pc = jump.To; break;
                case PatternInstruction.Mark mark:
                    marks[mark.Slot] = at;
                    pc++;
                    break;
                case PatternInstruction.Progress progress:
                    goesOn = marks[progress.Slot] != at;
                    pc++;
                    break;
                case PatternInstruction.Sub sub:
                    int? end = Match(text, pc + 1, at, alternatives, marks, ref steps);
                    goesOn = end is null == (sub.Kind == PatternInstruction.SubKind.NotAhead);
                    if (sub.Kind == PatternInstruction.SubKind.Atomic && end is { } consumed) at = consumed;
                    pc = sub.After;
                    break;
                case PatternInstruction.Behind behind:
                    bool isThere = Rune.DecodeLastFromUtf16(text[..at], out Rune before, out _) == System.Buffers.OperationStatus.Done && behind.Set.Contains(before);
                    goesOn = isThere != behind.Negative;
                    pc++;
                    break;
                case PatternInstruction.Start:
                    goesOn = at == 0;
                    pc++;
                    break;
                case PatternInstruction.End:
                    goesOn = at == text.Length;
                    pc++;
                    break;
                case PatternInstruction.Accept:
                    while (alternatives.Count > floor) alternatives.Pop();
                    return at;
            }
            if (goesOn) continue;
            if (alternatives.Count == floor) return null;
            Alternative next = alternatives.Pop();
            pc = next.Pc;
            at = next.At;
            // A run gives back one character; what remains of it waits again.
            if (next.At > next.Shortest)
            {
                int shorter = next.At - (next.At - 2 >= next.Shortest && char.IsSurrogatePair(text[next.At - 2], text[next.At - 1]) ? 2 : 1);
                alternatives.Push(next with { At = shorter });
            }
        }
    }

    private static bool TryOne(ReadOnlySpan<char> text, CodePoints set, ref int at)
    {
        if (at == text.Length) return false;
        Rune.DecodeFromUtf16(text[at..], out Rune rune, out int length);
        if (!set.Contains(rune)) return false;
        at += length;
        return true;
    }

    private static bool TryRun(ReadOnlySpan<char> text, PatternInstruction.Run run, ref int at, int next, Stack<Alternative> alternatives, ref long steps)
    {
        int count = 0;
        int shortest = at;
        while (count < run.Max && TryOne(text, run.Set, ref at))
        {
            count++;
            if (count <= run.Min) shortest = at;
        }
        steps -= count;
        if (count < run.Min) return false;
        if (at > shortest)
        {
            int shorter = at - (at - 2 >= shortest && char.IsSurrogatePair(text[at - 2], text[at - 1]) ? 2 : 1);
            alternatives.Push(new Alternative(next, shorter, shortest));
        }
        return true;
    }

    /// <summary>Where to go on after a failure: at <paramref name="At"/>, and after that at each character before it down to <paramref name="Shortest"/>.</summary>
    private readonly record struct Alternative(int Pc, int At, int Shortest);
}
