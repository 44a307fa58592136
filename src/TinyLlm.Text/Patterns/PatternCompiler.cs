namespace TinyLlm.Text.Patterns;

/// <summary>Turns a <see cref="PatternNode"/> into instructions. Bounded repeats are written out, so the program's size is bounded.</summary>
internal sealed class PatternCompiler
{
    private const int MaxInstructions = 8192;

    private readonly List<PatternInstruction> program = [];
    private int slots;

    public static (PatternInstruction[] Program, int Slots) Compile(PatternNode node)
    {
        PatternCompiler compiler = new();
        compiler.Emit(node);
        compiler.Add(new PatternInstruction.Accept());
        return ([.. compiler.program], compiler.slots);
    }

    private void Emit(PatternNode node)
    {
        switch (node)
        {
            case PatternNode.One one: Add(new PatternInstruction.One(one.Set)); break;
            case PatternNode.Sequence sequence:
                foreach (PatternNode item in sequence.Items) Emit(item);
                break;
            case PatternNode.Choice choice: EmitChoice(choice.Items); break;
            case PatternNode.Repeat repeat: EmitRepeat(repeat); break;
            case PatternNode.Atomic atomic: EmitSub(atomic.Item, PatternInstruction.SubKind.Atomic); break;
            case PatternNode.Look look:
                EmitSub(look.Item, look.Negative ? PatternInstruction.SubKind.NotAhead : PatternInstruction.SubKind.Ahead);
                break;
            case PatternNode.LookBehind behind: Add(new PatternInstruction.Behind(behind.Set, behind.Negative)); break;
            case PatternNode.Start: Add(new PatternInstruction.Start()); break;
            case PatternNode.End: Add(new PatternInstruction.End()); break;
            default: throw new InvalidOperationException($"no instruction for {node.GetType().Name}");
        }
    }

    private void EmitChoice(IReadOnlyList<PatternNode> items)
    {
        List<int> jumps = [];
        for (int i = 0; i < items.Count; i++)
        {
            bool last = i == items.Count - 1;
            int fork = last ? 0 : Add(new PatternInstruction.Jump(0));
            Emit(items[i]);
            if (last) break;
            jumps.Add(Add(new PatternInstruction.Jump(0)));
            program[fork] = new PatternInstruction.Fork(fork + 1, program.Count);
        }
        foreach (int jump in jumps) program[jump] = new PatternInstruction.Jump(program.Count);
    }

    private void EmitRepeat(PatternNode.Repeat repeat)
    {
        if (repeat is { Greedy: true, Item: PatternNode.One one })
        {
            Add(new PatternInstruction.Run(one.Set, repeat.Min, repeat.Max ?? int.MaxValue));
            return;
        }
        for (int i = 0; i < repeat.Min; i++) Emit(repeat.Item);
        if (repeat.Max is not { } max)
        {
            int slot = slots++;
            int loop = Add(new PatternInstruction.Jump(0));
            Add(new PatternInstruction.Mark(slot));
            Emit(repeat.Item);
            Add(new PatternInstruction.Progress(slot));
            Add(new PatternInstruction.Jump(loop));
            program[loop] = Fork(loop + 1, program.Count, repeat.Greedy);
            return;
        }
        List<int> forks = [];
        for (int i = repeat.Min; i < max; i++)
        {
            forks.Add(Add(new PatternInstruction.Jump(0)));
            Emit(repeat.Item);
        }
        foreach (int fork in forks) program[fork] = Fork(fork + 1, program.Count, repeat.Greedy);
    }

    private void EmitSub(PatternNode item, PatternInstruction.SubKind kind)
    {
        int sub = Add(new PatternInstruction.Jump(0));
        Emit(item);
        Add(new PatternInstruction.Accept());
        program[sub] = new PatternInstruction.Sub(kind, program.Count);
    }

    private static PatternInstruction.Fork Fork(int into, int past, bool greedy) => greedy ? new(into, past) : new(past, into);

    private int Add(PatternInstruction instruction)
    {
        if (program.Count == MaxInstructions)
        {
            throw new TokenizerFormatException(TokenizerFormatError.UnsupportedPattern,
                $"a regular expression compiles to more than {MaxInstructions} instructions");
        }
        program.Add(instruction);
        return program.Count - 1;
    }
}
