using System.Text.Json;

namespace TinyLlm.Text.Constraints;

/// <summary>Joins the keywords of strings. One automaton is made for equal conditions.</summary>
internal sealed class StringCompiler
{
    private readonly Dictionary<string, Dfa?> _patterns = new(StringComparer.Ordinal);
    private readonly Dictionary<string, StringShape?> _shapes = new(StringComparer.Ordinal);
    private int _states;

    /// <summary>Null when no string satisfies all.</summary>
    public StringShape? Compile(IReadOnlyList<SchemaLeaf> leaves)
    {
        int min = 0;
        int? max = null;
        SortedDictionary<string, (SchemaPlace Place, string Keyword)> patterns = new(StringComparer.Ordinal);
        foreach (SchemaLeaf leaf in leaves)
        {
            (int leafMin, int? leafMax) = Lengths(leaf.Place);
            min = Math.Max(min, leafMin);
            if (!(leafMax >= max)) max = leafMax ?? max;
            if (leaf.Place.Keyword("pattern", JsonValueKind.String) is { } pattern) patterns.TryAdd(leaf.Place.Text(pattern, "pattern"), (leaf.Place, "pattern"));
            if (leaf.Place.Keyword("format", JsonValueKind.String) is { } format && StringFormats.PatternOf(leaf.Place.Text(format, "format")) is { } known)
                patterns.TryAdd(known, (leaf.Place, "format"));
        }
        if (min > max) return null;
        if (patterns.Count == 0) return new StringShape(FreeLanguage.Instance, min, max);
        string key = $"{min} {max} {string.Join('\n', patterns.Keys)}";
        if (!_shapes.TryGetValue(key, out StringShape? shape)) _shapes.Add(key, shape = Join(patterns, min, max));
        return shape;
    }

    /// <summary>Just these strings; null: none.</summary>
    public StringShape? Words(IReadOnlyCollection<string> words, SchemaPlace place) =>
        Guard(place, "enum", () => DfaBuilder.OfWords(words)) is { } language ? new StringShape(language, 0, null) : null;

    private StringShape? Join(SortedDictionary<string, (SchemaPlace, string)> patterns, int min, int? max)
    {
        Dfa? all = null;
        foreach ((string pattern, (SchemaPlace place, string keyword)) in patterns)
        {
            if (Pattern(pattern, place, keyword) is not { } one) return null;
            all = all is null ? one : Guard(place, keyword, () => DfaBuilder.Intersect(all, one));
            if (all is null) return null;
        }
        (SchemaPlace last, string lastKeyword) = patterns.Values.Last();
        if (min > 0 || max is not null) all = Guard(last, lastKeyword, () => DfaBuilder.WithLength(all!, min, max));
        return all is null ? null : new StringShape(all, 0, null);
    }

    private Dfa? Pattern(string pattern, SchemaPlace place, string keyword)
    {
        if (_patterns.TryGetValue(pattern, out Dfa? known)) return known;
        try
        {
            PatternTree tree = EcmaPattern.Parse(pattern);
            Dfa? made = Guard(place, keyword, () => PatternNfa.Compile(tree));
            if (made is null) throw place.Fault(SchemaError.Unsatisfiable, keyword, "no string matches it");
            _patterns.Add(pattern, made);
            return made;
        }
        catch (FormatException exception)
        {
            throw place.Fault(SchemaError.BadPattern, keyword, $"the pattern can't be used: {exception.Message}");
        }
    }

    private Dfa? Guard(SchemaPlace place, string keyword, Func<Dfa?> make)
    {
        try
        {
            Dfa? made = make();
            _states += made?.States ?? 0;
            if (_states <= ConstraintLimits.MaxTotalStates) return made;
            throw place.Fault(SchemaError.TooLarge, keyword, $"the strings of this schema need more than {ConstraintLimits.MaxTotalStates} states together");
        }
        catch (DfaTooLargeException)
        {
            throw place.Fault(
                SchemaError.TooLarge, keyword,
                $"with its lengths it needs an automaton of more than {ConstraintLimits.MaxStates} states: make it simpler, or its repetitions shorter");
        }
    }

    private static (int Min, int? Max) Lengths(SchemaPlace place)
    {
        int min = place.Count("minLength") ?? 0;
        int? max = place.Count("maxLength");
        return min > max ? throw place.Fault(SchemaError.Unsatisfiable, "minLength", $"no string has at least {min} and at most {max} characters") : (min, max);
    }
}
