namespace TinyLlm.Text.Jinja;

/// <summary>Filters that sort, choose or map the items of a list.</summary>
internal static class JinjaListFilters
{
    public static JinjaValue Sort(JinjaContext context, JinjaValue value, JinjaArguments arguments)
    {
        bool caseSensitive = arguments.Flag(1, "case_sensitive");
        string? attribute = arguments.Find<JinjaValue.Text>(2, "attribute")?.Value;
        List<JinjaValue> sorted = [.. Order(context, context.Iterate(value), item => attribute is null ? item : context.Attribute(item, attribute), caseSensitive)];
        if (arguments.Flag(0, "reverse")) sorted.Reverse();
        return context.NewList(sorted);
    }

    public static JinjaValue DictSort(JinjaContext context, JinjaValue value, JinjaArguments arguments)
    {
        int place = (arguments.Find<JinjaValue.Text>(1, "by")?.Value ?? "key") == "value" ? 1 : 0;
        JinjaValue.List pairs = (JinjaValue.List)JinjaMethods.Items(context, JinjaFilters.RequireMap(value));
        List<JinjaValue> sorted = [.. Order(context, pairs.Items, pair => ((JinjaValue.List)pair).Items[place], arguments.Flag(0, "case_sensitive"))];
        if (arguments.Flag(2, "reverse")) sorted.Reverse();
        return context.NewList(sorted);
    }

    public static JinjaValue Unique(JinjaContext context, JinjaValue value, JinjaArguments arguments)
    {
        List<JinjaValue> kept = [];
        foreach (JinjaValue item in context.Iterate(value))
        {
            if (!kept.Any(other => context.AreEqual(other, item))) kept.Add(item);
        }
        return context.NewList(kept);
    }

    /// <summary>The largest item, or the smallest for a negative sign; undefined for an empty list.</summary>
    public static JinjaValue Extreme(JinjaContext context, JinjaValue value, int sign)
    {
        JinjaValue? best = null;
        foreach (JinjaValue item in context.Iterate(value))
        {
            if (best is null || context.Compare(item, best, ignoreCase: true) * sign > 0) best = item;
        }
        return best ?? JinjaValue.Missing;
    }

    public static JinjaValue Map(JinjaContext context, JinjaValue value, JinjaArguments arguments)
    {
        IReadOnlyList<JinjaValue> items = context.Iterate(value);
        if (arguments.Named.GetValueOrDefault("attribute") is JinjaValue.Text attribute)
        {
            JinjaValue absent = arguments.Named.GetValueOrDefault("default") ?? JinjaValue.Missing;
            return context.NewList([.. items.Select(item => context.Attribute(item, attribute.Value) is var found and not JinjaValue.Undefined ? found : absent)]);
        }
        string filter = arguments.Text(0, "filter");
        JinjaArguments rest = arguments with { Positional = [.. arguments.Positional.Skip(1)] };
        // A filter that maps could map itself.
        if (filter is "map" or "select" or "reject" or "selectattr" or "rejectattr") throw JinjaContext.Bad($"'map' of '{filter}' is not supported");
        return context.NewList([.. items.Select(item => JinjaFilters.Apply(context, filter, item, rest))]);
    }

    public static JinjaValue Select(JinjaContext context, JinjaValue value, JinjaArguments arguments, bool byAttribute, bool wanted)
    {
        int testAt = byAttribute ? 1 : 0;
        string? attribute = byAttribute ? arguments.Text(0, "attribute") : null;
        string? test = arguments.Find<JinjaValue.Text>(testAt, "test")?.Value;
        JinjaArguments rest = arguments with { Positional = [.. arguments.Positional.Skip(testAt + 1)] };
        return context.NewList([.. context.Iterate(value).Where(Fits)]);

        bool Fits(JinjaValue item)
        {
            JinjaValue tested = attribute is null ? item : context.Attribute(item, attribute);
            return (test is null ? tested.IsTrue : JinjaTests.Holds(context, test, tested, rest)) == wanted;
        }
    }

    private static IEnumerable<JinjaValue> Order(JinjaContext context, IReadOnlyList<JinjaValue> items, Func<JinjaValue, JinjaValue> keyOf, bool caseSensitive) =>
        items.OrderBy(keyOf, Comparer<JinjaValue>.Create((left, right) => context.Compare(left, right, !caseSensitive)));
}
