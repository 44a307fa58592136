namespace TinyLlm.Text.Constraints;

/// <summary>
/// Thompson's construction (1968) of a pattern, and the subset construction that makes it deterministic. A pattern is searched for, as JSON Schema says:
/// without <c>^</c> and <c>$</c> it may be met anywhere in the string.
/// </summary>
internal sealed class PatternNfa
{
    private readonly List<Node> _nodes = [];

    /// <summary>The strings in which the pattern is met; null when there are none.</summary>
    /// <exception cref="DfaTooLargeException">A bound was met.</exception>
    public static Dfa? Compile(PatternTree pattern)
    {
        PatternNfa nfa = new();
        int last = nfa.Add();
        int first = nfa.Build(pattern, last);
        // What comes before: any characters, after which '^' does not hold any more. The pattern begins at each of these places.
        int before = nfa.Add();
        nfa._nodes[before].Empty.Add(first);
        foreach (CodePointRange range in CodePointRange.All) nfa._nodes[before].Edges.Add((range, before));
        return nfa.ToDfa(before, last);
    }

    /// <summary>Builds from the back: answers the node that leads through <paramref name="tree"/> to <paramref name="next"/>.</summary>
    private int Build(PatternTree tree, int next)
    {
        switch (tree)
        {
            case PatternTree.Characters characters:
                int node = Add();
                foreach (CodePointRange range in characters.Ranges) _nodes[node].Edges.Add((range, next));
                return node;
            case PatternTree.Sequence sequence:
                foreach (PatternTree item in sequence.Items.Reverse()) next = Build(item, next);
                return next;
            case PatternTree.Choice choice:
                int fork = Add();
                foreach (PatternTree item in choice.Items) _nodes[fork].Empty.Add(Build(item, next));
                return fork;
            case PatternTree.Repeat repeat:
                return BuildRepeat(repeat, next);
            case PatternTree.Begin:
                int begin = Add();
                _nodes[begin].AtBegin = next;
                return begin;
            case PatternTree.End:
                int end = Add();
                _nodes[end].AtEnd = next;
                return end;
            default:
                throw new InvalidOperationException($"{tree.GetType().Name} is no part of a pattern");
        }
    }

    private int BuildRepeat(PatternTree.Repeat repeat, int next)
    {
        if (repeat.Max is null)
        {
            int loop = Add();
            _nodes[loop].Empty.Add(next);
            _nodes[loop].Empty.Add(Build(repeat.Item, loop));
            next = loop;
        }
        else
        {
            int skip = next;
            for (int i = repeat.Min; i < repeat.Max; i++)
            {
                int optional = Add();
                _nodes[optional].Empty.Add(skip);
                _nodes[optional].Empty.Add(Build(repeat.Item, next));
                next = optional;
            }
        }
        for (int i = 0; i < repeat.Min; i++) next = Build(repeat.Item, next);
        return next;
    }

    private int Add()
    {
        if (_nodes.Count == ConstraintLimits.MaxPatternNodes) throw new DfaTooLargeException();
        _nodes.Add(new Node());
        return _nodes.Count - 1;
    }

    private Dfa? ToDfa(int start, int last)
    {
        // An empty set stands for "met already": whatever follows is accepted.
        int[] met = [];
        int[] first = Close([start], atBegin: true, atEnd: false);
        if (first.Contains(last)) first = met;
        bool isEmptyMet = Close([start], atBegin: true, atEnd: true).Contains(last);
        // The first state is told apart from an equal later one, because only there '^' holds at the end of the empty string.
        return DfaBuilder.Explore(
            (Set: first, IsFirst: true),
            state => Step(state.Set, last, met).Select(edge => (edge.Range, (edge.Target, false))),
            state => state.Set.Length == 0 || (state.IsFirst ? isEmptyMet : Close(state.Set, atBegin: false, atEnd: true).Contains(last)),
            StateComparer.Instance);
    }

    private IEnumerable<(CodePointRange Range, int[] Target)> Step(int[] set, int last, int[] met)
    {
        if (set.Length == 0) return CodePointRange.All.Select(range => (range, met));
        // 1. Cut the code points where any transition begins or ends.
        SortedSet<int> cuts = [];
        foreach (int node in set)
        {
            foreach ((CodePointRange range, _) in _nodes[node].Edges)
            {
                cuts.Add(range.Low);
                cuts.Add(range.High + 1);
            }
        }
        // 2. Between two cuts all code points lead to the same set.
        List<(CodePointRange, int[])> result = [];
        int? low = null;
        foreach (int cut in cuts)
        {
            if (low is { } from)
            {
                List<int> targets = [];
                foreach (int node in set)
                {
                    foreach ((CodePointRange range, int target) in _nodes[node].Edges)
                    {
                        if (range.Low <= from && from <= range.High) targets.Add(target);
                    }
                }
                if (targets.Count > 0)
                {
                    int[] closed = Close(targets, atBegin: false, atEnd: false);
                    result.Add((new CodePointRange(from, cut - 1), closed.Contains(last) ? met : closed));
                }
            }
            low = cut;
        }
        return result;
    }

    private int[] Close(IEnumerable<int> nodes, bool atBegin, bool atEnd)
    {
        HashSet<int> seen = [];
        Stack<int> left = new(nodes);
        while (left.TryPop(out int number))
        {
            if (!seen.Add(number)) continue;
            Node node = _nodes[number];
            foreach (int next in node.Empty) left.Push(next);
            if (atBegin && node.AtBegin is { } afterBegin) left.Push(afterBegin);
            if (atEnd && node.AtEnd is { } afterEnd) left.Push(afterEnd);
        }
        int[] set = [.. seen];
        Array.Sort(set);
        return set;
    }

    private sealed class Node
    {
        public List<(CodePointRange Range, int Target)> Edges { get; } = [];

        public List<int> Empty { get; } = [];

        public int? AtBegin { get; set; }

        public int? AtEnd { get; set; }
    }

    private sealed class SetComparer : IEqualityComparer<int[]>
    {
        public static SetComparer Instance { get; } = new();

        public bool Equals(int[]? x, int[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(int[] set)
        {
            HashCode hash = new();
            foreach (int node in set) hash.Add(node);
            return hash.ToHashCode();
        }
    }

    private sealed class StateComparer : IEqualityComparer<(int[] Set, bool IsFirst)>
    {
        public static StateComparer Instance { get; } = new();

        public bool Equals((int[] Set, bool IsFirst) x, (int[] Set, bool IsFirst) y) => x.IsFirst == y.IsFirst && SetComparer.Instance.Equals(x.Set, y.Set);

        public int GetHashCode((int[] Set, bool IsFirst) state) => SetComparer.Instance.GetHashCode(state.Set);
    }
}
