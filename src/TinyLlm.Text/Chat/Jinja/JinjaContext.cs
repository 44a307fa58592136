namespace TinyLlm.Text.Jinja;

/// <summary>What filters, tests and functions share during one rendering.</summary>
internal sealed class JinjaContext(JinjaBudget budget, TimeProvider time)
{
    public JinjaBudget Budget { get; } = budget;

    public JinjaText Text { get; } = new(budget);

    public TimeProvider Time { get; } = time;

    public JinjaValue NewText(string value)
    {
        Budget.Text(value.Length);
        return JinjaValue.Of(value);
    }

    public JinjaValue NewList(IReadOnlyList<JinjaValue> items)
    {
        Budget.Items(items.Count);
        return new JinjaValue.List(items);
    }

    /// <summary>The values that a loop over <paramref name="value"/> meets.</summary>
    public IReadOnlyList<JinjaValue> Iterate(JinjaValue value)
    {
        IReadOnlyList<JinjaValue> items = value switch
        {
            JinjaValue.List list => list.Items,
            JinjaValue.Map map => [.. map.Items.Keys.Select(JinjaValue.Of)],
            JinjaValue.Text text => [.. Characters(text.Value).Select(JinjaValue.Of)],
            _ => throw Bad($"{value.Kind} can't be iterated"),
        };
        Budget.Items(items.Count);
        return items;
    }

    /// <summary>The characters (not UTF-16 units) of a text.</summary>
    public IReadOnlyList<string> Characters(string text)
    {
        Budget.Items(text.Length);
        return [.. text.EnumerateRunes().Select(rune => rune.ToString())];
    }

    /// <summary>The value of an attribute path such as <c>function.name</c> or <c>items.0</c>; undefined when there is none.</summary>
    public JinjaValue Attribute(JinjaValue value, string path)
    {
        Budget.Text(path.Length);
        foreach (string part in path.Split('.'))
        {
            Budget.Step();
            value = int.TryParse(part, out int place) && value is JinjaValue.List ? JinjaMembers.Item(this, value, JinjaValue.Of(place)) : JinjaMembers.Data(value, part);
        }
        return value;
    }

    public bool AreEqual(JinjaValue left, JinjaValue right)
    {
        Budget.Step();
        return (left, right) switch
        {
            (JinjaValue.Null or JinjaValue.Undefined, JinjaValue.Null or JinjaValue.Undefined) => true,
            (JinjaValue.Text a, JinjaValue.Text b) => a.Value == b.Value,
            (JinjaValue.List a, JinjaValue.List b) => a.Items.Count == b.Items.Count && a.Items.Zip(b.Items).All(pair => AreEqual(pair.First, pair.Second)),
            (JinjaValue.Map a, JinjaValue.Map b) => a.Items.Count == b.Items.Count
                && a.Items.All(item => b.Items.TryGetValue(item.Key, out JinjaValue? other) && AreEqual(item.Value, other)),
            _ when Numeric(left) is { } a && Numeric(right) is { } b => a == b,
            _ => ReferenceEquals(left, right),
        };
    }

    /// <summary>Order of two numbers or two strings; anything else has none.</summary>
    public int Compare(JinjaValue left, JinjaValue right, bool ignoreCase)
    {
        Budget.Step();
        if (Numeric(left) is { } a && Numeric(right) is { } b) return a.CompareTo(b);
        if (left is JinjaValue.Text first && right is JinjaValue.Text second)
        {
            Budget.Text(Math.Min(first.Value.Length, second.Value.Length));
            return ignoreCase
                ? string.CompareOrdinal(first.Value.ToLowerInvariant(), second.Value.ToLowerInvariant())
                : string.CompareOrdinal(first.Value, second.Value);
        }
        throw Bad($"{left.Kind} and {right.Kind} have no order");
    }

    /// <summary>The number that a value counts as, or null.</summary>
    public static double? Numeric(JinjaValue value) => value switch
    {
        JinjaValue.Number number => number.Value,
        JinjaValue.Bool flag => flag.Value ? 1 : 0,
        _ => null,
    };

    public static ChatTemplateException Bad(string what) => new(ChatTemplateError.BadOperation, $"the chat template can't be applied: {what}");
}
