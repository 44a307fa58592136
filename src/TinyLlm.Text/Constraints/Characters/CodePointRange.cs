namespace TinyLlm.Text.Constraints;

/// <summary>Code points from <paramref name="Low"/> to <paramref name="High"/>, both included.</summary>
internal readonly record struct CodePointRange(int Low, int High)
{
    public const int Last = 0x10FFFF;
    public const int FirstSurrogate = 0xD800, LastSurrogate = 0xDFFF;

    /// <summary>Every code point that a string can hold.</summary>
    public static IReadOnlyList<CodePointRange> All { get; } = [new(0, FirstSurrogate - 1), new(LastSurrogate + 1, Last)];

    /// <summary>Sorted, joined, and without surrogates.</summary>
    public static List<CodePointRange> Normalize(IEnumerable<CodePointRange> ranges)
    {
        List<CodePointRange> result = [];
        foreach (CodePointRange range in ranges.SelectMany(WithoutSurrogates).OrderBy(range => range.Low))
        {
            if (result.Count > 0 && range.Low <= result[^1].High + 1) result[^1] = result[^1] with { High = Math.Max(result[^1].High, range.High) };
            else result.Add(range);
        }
        return result;
    }

    /// <summary>What <paramref name="ranges"/> leave.</summary>
    public static List<CodePointRange> Complement(IEnumerable<CodePointRange> ranges)
    {
        List<CodePointRange> result = [];
        int next = 0;
        foreach (CodePointRange range in Normalize(ranges))
        {
            if (range.Low > next) result.Add(new CodePointRange(next, range.Low - 1));
            next = range.High + 1;
        }
        if (next <= Last) result.Add(new CodePointRange(next, Last));
        return Normalize(result);
    }

    private static IEnumerable<CodePointRange> WithoutSurrogates(CodePointRange range)
    {
        if (range.Low < FirstSurrogate) yield return range with { High = Math.Min(range.High, FirstSurrogate - 1) };
        if (range.High > LastSurrogate) yield return range with { Low = Math.Max(range.Low, LastSurrogate + 1) };
    }
}
