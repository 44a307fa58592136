namespace TinyLlm.Text.Constraints;

/// <summary>
/// Makes automata: explores states of any kind breadth first, numbers them, drops those from which no end can be reached, and stops at a bound.
/// </summary>
internal static class DfaBuilder
{
    /// <summary>Null when no string is accepted.</summary>
    /// <param name="start">The first state.</param>
    /// <param name="edges">A state's transitions; those of one state do not overlap.</param>
    /// <param name="isEnd">Whether a string may end in a state.</param>
    /// <param name="comparer">When states are equal; null: by their own equality.</param>
    /// <exception cref="DfaTooLargeException">There are more than <see cref="ConstraintLimits.MaxStates"/> states.</exception>
    public static Dfa? Explore<TState>(TState start, Func<TState, IEnumerable<(CodePointRange Range, TState Target)>> edges, Func<TState, bool> isEnd, IEqualityComparer<TState>? comparer = null)
        where TState : notnull
    {
        Dictionary<TState, int> numbers = new(comparer) { [start] = 0 };
        List<TState> states = [start];
        List<List<DfaEdge>> all = [];
        for (int number = 0; number < states.Count; number++)
        {
            List<DfaEdge> outgoing = [];
            foreach ((CodePointRange range, TState target) in edges(states[number]))
            {
                if (!numbers.TryGetValue(target, out int to))
                {
                    if (states.Count == ConstraintLimits.MaxStates) throw new DfaTooLargeException();
                    to = states.Count;
                    numbers.Add(target, to);
                    states.Add(target);
                }
                outgoing.Add(new DfaEdge(range.Low, range.High, to));
            }
            outgoing.Sort((a, b) => a.Low.CompareTo(b.Low));
            all.Add(outgoing);
        }
        return Trim(all, [.. states.Select(isEnd)]);
    }

    /// <summary>The strings of both.</summary>
    public static Dfa? Intersect(Dfa first, Dfa second) => Explore(
        (First: first.Start, Second: second.Start),
        state => Overlaps(first, second, state.First, state.Second),
        state => first.IsEnd(state.First) && second.IsEnd(state.Second));

    /// <summary>The strings of <paramref name="language"/> with so many code points.</summary>
    public static Dfa? WithLength(Dfa language, int min, int? max) => Explore(
        (State: language.Start, Length: 0),
        state => state.Length == max ? [] : Counted(language, state.State, Math.Min(state.Length + 1, max ?? min)),
        state => state.Length >= min && language.IsEnd(state.State));

    /// <summary>Just these strings.</summary>
    public static Dfa? OfWords(IReadOnlyCollection<string> words)
    {
        string[] sorted = [.. words.Distinct(StringComparer.Ordinal)];
        int[][] codePoints = [.. sorted.Select(word => word.EnumerateRunes().Select(rune => rune.Value).ToArray())];
        // A state is the words that are still possible and how much of them was read: named by one of the words, and the length.
        Dictionary<(int Word, int Length), List<int>> possible = new() { [(0, 0)] = [.. Enumerable.Range(0, sorted.Length)] };
        return Explore(
            (Word: 0, Length: 0),
            state => possible[state].Where(word => codePoints[word].Length > state.Length).GroupBy(word => codePoints[word][state.Length]).Select(group =>
            {
                (int, int) target = (group.First(), state.Length + 1);
                possible[target] = [.. group];
                return (new CodePointRange(group.Key, group.Key), target);
            }),
            state => possible[state].Any(word => codePoints[word].Length == state.Length));
    }

    private static List<(CodePointRange, (int, int))> Overlaps(Dfa first, Dfa second, int firstState, int secondState)
    {
        List<(CodePointRange, (int, int))> result = [];
        foreach (DfaEdge a in first.Edges(firstState))
        {
            foreach (DfaEdge b in second.Edges(secondState))
            {
                int low = Math.Max(a.Low, b.Low), high = Math.Min(a.High, b.High);
                if (low <= high) result.Add((new CodePointRange(low, high), (a.Target, b.Target)));
            }
        }
        return result;
    }

    private static List<(CodePointRange, (int, int))> Counted(Dfa language, int state, int length)
    {
        List<(CodePointRange, (int, int))> result = [];
        foreach (DfaEdge edge in language.Edges(state)) result.Add((new CodePointRange(edge.Low, edge.High), (edge.Target, length)));
        return result;
    }

    private static Dfa? Trim(List<List<DfaEdge>> edges, bool[] ends)
    {
        List<int>[] sources = new List<int>[ends.Length];
        for (int state = 0; state < ends.Length; state++)
        {
            foreach (DfaEdge edge in edges[state]) (sources[edge.Target] ??= []).Add(state);
        }
        bool[] isAlive = new bool[ends.Length];
        Queue<int> alive = new(Enumerable.Range(0, ends.Length).Where(state => ends[state]));
        foreach (int state in alive) isAlive[state] = true;
        while (alive.TryDequeue(out int state))
        {
            foreach (int source in sources[state] ?? [])
            {
                if (isAlive[source]) continue;
                isAlive[source] = true;
                alive.Enqueue(source);
            }
        }
        if (!isAlive[0]) return null;
        int[] number = new int[ends.Length];
        int count = 0;
        for (int state = 0; state < ends.Length; state++) number[state] = isAlive[state] ? count++ : 0;
        int[] kept = [.. Enumerable.Range(0, ends.Length).Where(state => isAlive[state])];
        return new Dfa(
            [.. kept.Select(state => edges[state].Where(edge => isAlive[edge.Target]).Select(edge => edge with { Target = number[edge.Target] }).ToArray())],
            [.. kept.Select(state => ends[state])]);
    }
}
