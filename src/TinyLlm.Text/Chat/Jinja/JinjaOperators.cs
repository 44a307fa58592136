namespace TinyLlm.Text.Jinja;

/// <summary>Operators between two values, with Python's meaning; text and numbers can also be added, as text.</summary>
internal static class JinjaOperators
{
    public static JinjaValue Apply(JinjaContext context, string symbol, JinjaValue left, JinjaValue right)
    {
        context.Budget.Step();
        return symbol switch
        {
            "==" => JinjaValue.Of(context.AreEqual(left, right)),
            "!=" => JinjaValue.Of(!context.AreEqual(left, right)),
            "<" => JinjaValue.Of(context.Compare(left, right, ignoreCase: false) < 0),
            "<=" => JinjaValue.Of(context.Compare(left, right, ignoreCase: false) <= 0),
            ">" => JinjaValue.Of(context.Compare(left, right, ignoreCase: false) > 0),
            ">=" => JinjaValue.Of(context.Compare(left, right, ignoreCase: false) >= 0),
            "in" => JinjaValue.Of(Contains(context, right, left)),
            "not in" => JinjaValue.Of(!Contains(context, right, left)),
            "~" => Concatenate(context, left, right),
            "+" when left is JinjaValue.Text || right is JinjaValue.Text => AddText(context, left, right),
            "+" when left is JinjaValue.List a && right is JinjaValue.List b => AddLists(context, a, b),
            "*" when left is JinjaValue.Text text && right is JinjaValue.Number count => Repeat(context, text.Value, count),
            _ => Calculate(symbol, left, right),
        };
    }

    public static bool Contains(JinjaContext context, JinjaValue container, JinjaValue item) => (container, item) switch
    {
        (JinjaValue.Undefined, _) => false,
        (JinjaValue.Text text, JinjaValue.Text part) => Search(context, text.Value, part.Value),
        (JinjaValue.Map map, JinjaValue.Text key) => map.Items.ContainsKey(key.Value),
        (JinjaValue.Map, _) => false,
        (JinjaValue.List list, _) => list.Items.Any(member => context.AreEqual(member, item)),
        _ => throw JinjaContext.Bad($"{item.Kind} can't be in {container.Kind}"),
    };

    private static bool Search(JinjaContext context, string text, string part)
    {
        context.Budget.Text(text.Length);
        return text.Contains(part, StringComparison.Ordinal);
    }

    private static JinjaValue.Text AddText(JinjaContext context, JinjaValue left, JinjaValue right)
    {
        bool isMissing = left is JinjaValue.Undefined or JinjaValue.Null || right is JinjaValue.Undefined or JinjaValue.Null;
        return isMissing ? throw JinjaContext.Bad($"{left.Kind} and {right.Kind} can't be added") : Concatenate(context, left, right);
    }

    private static JinjaValue.Text Concatenate(JinjaContext context, JinjaValue left, JinjaValue right)
    {
        string first = context.Text.Of(left), second = context.Text.Of(right);
        context.Budget.Text((long)first.Length + second.Length);
        return JinjaValue.Of(first + second);
    }

    private static JinjaValue.List AddLists(JinjaContext context, JinjaValue.List left, JinjaValue.List right)
    {
        context.Budget.Items((long)left.Items.Count + right.Items.Count);
        return new JinjaValue.List([.. left.Items, .. right.Items]);
    }

    private static JinjaValue.Text Repeat(JinjaContext context, string text, JinjaValue.Number count)
    {
        if (count.IsFloat) throw JinjaContext.Bad("a string can't be repeated by a fraction");
        double times = Math.Max(0, count.Value);
        context.Budget.Text((long)Math.Min(text.Length * times, long.MaxValue / 2));
        return JinjaValue.Of(string.Concat(Enumerable.Repeat(text, text.Length == 0 ? 0 : (int)times)));
    }

    private static JinjaValue.Number Calculate(string symbol, JinjaValue left, JinjaValue right)
    {
        if (JinjaContext.Numeric(left) is not { } a || JinjaContext.Numeric(right) is not { } b)
            throw JinjaContext.Bad($"'{symbol}' can't be applied to {left.Kind} and {right.Kind}");
        if (b == 0 && symbol is ("/" or "//" or "%")) throw JinjaContext.Bad("division by 0");
        bool isFloat = left is JinjaValue.Number { IsFloat: true } || right is JinjaValue.Number { IsFloat: true };
        (double result, bool makesFloat) = symbol switch
        {
            "+" => (a + b, false),
            "-" => (a - b, false),
            "*" => (a * b, false),
            "/" => (a / b, true),
            "//" => (Math.Floor(a / b), false),
            "%" => (a - (Math.Floor(a / b) * b), false),
            "**" => (Math.Pow(a, b), b < 0),
            _ => throw JinjaContext.Bad($"'{symbol}' is not supported"),
        };
        if (!double.IsFinite(result)) throw JinjaContext.Bad($"the result of '{symbol}' is too large");
        return new JinjaValue.Number(result, isFloat || makesFloat);
    }
}
