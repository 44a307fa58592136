namespace TinyLlm.Text.Constraints;

/// <summary>A deterministic automaton over code points. Made by <see cref="DfaBuilder"/>, which leaves only states from which an end can be reached.</summary>
internal sealed class Dfa(DfaEdge[][] edges, bool[] ends) : CharacterLanguage
{
    public override int Start => 0;

    public int States => ends.Length;

    /// <summary>Transitions of a state, sorted, none overlapping.</summary>
    public ReadOnlySpan<DfaEdge> Edges(int state) => edges[state];

    public override bool IsEnd(int state) => ends[state];

    public override int? Next(int state, int codePoint)
    {
        int at = FirstNotBelow(edges[state], codePoint);
        return at < edges[state].Length && edges[state][at].Low <= codePoint ? edges[state][at].Target : null;
    }

    public override bool HasNext(int state, int low, int high)
    {
        int at = FirstNotBelow(edges[state], low);
        return at < edges[state].Length && edges[state][at].Low <= high;
    }

    /// <summary>Whether the automaton accepts the whole of <paramref name="text"/>.</summary>
    public bool Accepts(string text)
    {
        int state = Start;
        foreach (System.Text.Rune rune in text.EnumerateRunes())
        {
            if (Next(state, rune.Value) is not { } next) return false;
            state = next;
        }
        return IsEnd(state);
    }

    /// <summary>Index of the first edge that does not end before <paramref name="codePoint"/>.</summary>
    private static int FirstNotBelow(DfaEdge[] sorted, int codePoint)
    {
        int from = 0, to = sorted.Length;
        while (from < to)
        {
            int middle = (from + to) / 2;
            if (sorted[middle].High < codePoint) from = middle + 1;
            else to = middle;
        }
        return from;
    }
}
