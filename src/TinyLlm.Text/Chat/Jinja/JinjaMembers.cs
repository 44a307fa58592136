namespace TinyLlm.Text.Jinja;

/// <summary>Members, items and slices of values: their data first, then the methods that Python's types have of that name, as far as templates use them.</summary>
internal static class JinjaMembers
{
    public static JinjaValue Member(JinjaContext context, JinjaValue value, string name)
    {
        JinjaValue data = Data(value, name);
        return data is JinjaValue.Undefined ? JinjaMethods.Find(context, value, name) ?? data : data;
    }

    /// <summary>A key's value; undefined when there is none.</summary>
    public static JinjaValue Data(JinjaValue value, string name) => value switch
    {
        JinjaValue.Map map => map.Items.GetValueOrDefault(name, JinjaValue.Missing),
        JinjaValue.Namespace space => space.Items.GetValueOrDefault(name, JinjaValue.Missing),
        JinjaValue.Undefined or JinjaValue.Null => throw JinjaContext.Bad($"{value.Kind} has no {TokenizerFormatException.Quote(name)}"),
        _ => JinjaValue.Missing,
    };

    public static JinjaValue Item(JinjaContext context, JinjaValue value, JinjaValue key)
    {
        if (key is JinjaValue.Text name) return Member(context, value, name.Value);
        if (key is JinjaValue.Number { IsFloat: false } && value is JinjaValue.List or JinjaValue.Text)
        {
            IReadOnlyList<JinjaValue> items = context.Iterate(value);
            double at = ((JinjaValue.Number)key).Value;
            if (at < 0) at += items.Count;
            return at >= 0 && at < items.Count ? items[(int)at] : JinjaValue.Missing;
        }
        return value is JinjaValue.Map ? JinjaValue.Missing : throw JinjaContext.Bad($"{key.Kind} is no key of {value.Kind}");
    }

    /// <summary>Python's slice of a list or a string.</summary>
    public static JinjaValue Slice(JinjaContext context, JinjaValue value, JinjaValue? start, JinjaValue? stop, JinjaValue? step)
    {
        if (value is not (JinjaValue.List or JinjaValue.Text)) throw JinjaContext.Bad($"{value.Kind} can't be sliced");
        IReadOnlyList<JinjaValue> items = context.Iterate(value);
        int stride = Bound(step) ?? 1;
        if (stride == 0) throw JinjaContext.Bad("a slice's step is 0");
        int first = stride > 0 ? 0 : -1, last = stride > 0 ? items.Count : items.Count - 1;
        int from = Clamp(Bound(start), stride > 0 ? first : last);
        int to = Clamp(Bound(stop), stride > 0 ? last : first);
        List<JinjaValue> sliced = [];
        for (long at = from; stride > 0 ? at < to : at > to; at += stride) sliced.Add(items[(int)at]);
        if (value is JinjaValue.List) return context.NewList(sliced);
        return context.NewText(string.Concat(sliced.Select(item => ((JinjaValue.Text)item).Value)));

        int Clamp(int? bound, int absent) => bound is not { } place ? absent : Math.Clamp(place < 0 ? place + items.Count : place, first, last);
    }

    private static int? Bound(JinjaValue? value) => value switch
    {
        null or JinjaValue.Null or JinjaValue.Undefined => null,
        JinjaValue.Number { IsFloat: false } number => (int)Math.Clamp(number.Value, -1_000_000_000, 1_000_000_000),
        _ => throw JinjaContext.Bad($"{value.Kind} is no bound of a slice"),
    };
}
