namespace TinyLlm.Text.Jinja;

/// <summary>The tests that may stand after <c>is</c>.</summary>
internal static class JinjaTests
{
    private static readonly Dictionary<string, Func<JinjaContext, JinjaValue, JinjaArguments, bool>> Tests = new(StringComparer.Ordinal)
    {
        ["defined"] = (_, value, _) => value is not JinjaValue.Undefined,
        ["undefined"] = (_, value, _) => value is JinjaValue.Undefined,
        ["none"] = (_, value, _) => value is JinjaValue.Null,
        ["boolean"] = (_, value, _) => value is JinjaValue.Bool,
        ["true"] = (_, value, _) => value is JinjaValue.Bool { Value: true },
        ["false"] = (_, value, _) => value is JinjaValue.Bool { Value: false },
        ["string"] = (_, value, _) => value is JinjaValue.Text,
        ["number"] = (_, value, _) => value is JinjaValue.Number,
        ["integer"] = (_, value, _) => value is JinjaValue.Number { IsFloat: false },
        ["float"] = (_, value, _) => value is JinjaValue.Number { IsFloat: true },
        ["mapping"] = (_, value, _) => value is JinjaValue.Map,
        ["iterable"] = (_, value, _) => value is JinjaValue.List or JinjaValue.Text or JinjaValue.Map,
        ["sequence"] = (_, value, _) => value is JinjaValue.List or JinjaValue.Text or JinjaValue.Map,
        ["callable"] = (_, value, _) => value is JinjaValue.Function,
        ["odd"] = (_, value, _) => Integer(value) % 2 != 0,
        ["even"] = (_, value, _) => Integer(value) % 2 == 0,
        ["divisibleby"] = (_, value, arguments) => Integer(value) % NonZero(arguments) == 0,
        ["lower"] = (_, value, _) => value is JinjaValue.Text text && !text.Value.Any(char.IsUpper),
        ["upper"] = (_, value, _) => value is JinjaValue.Text text && !text.Value.Any(char.IsLower),
        ["sameas"] = (context, value, arguments) => context.AreEqual(value, Other(arguments)),
        ["in"] = (context, value, arguments) => JinjaOperators.Contains(context, Other(arguments), value),
        ["eq"] = Equal,
        ["equalto"] = Equal,
        ["=="] = Equal,
        ["ne"] = (context, value, arguments) => !Equal(context, value, arguments),
        ["!="] = (context, value, arguments) => !Equal(context, value, arguments),
        ["lt"] = (context, value, arguments) => context.Compare(value, Other(arguments), ignoreCase: false) < 0,
        ["le"] = (context, value, arguments) => context.Compare(value, Other(arguments), ignoreCase: false) <= 0,
        ["gt"] = (context, value, arguments) => context.Compare(value, Other(arguments), ignoreCase: false) > 0,
        ["ge"] = (context, value, arguments) => context.Compare(value, Other(arguments), ignoreCase: false) >= 0,
    };

    public static bool IsKnown(string name) => Tests.ContainsKey(name);

    public static bool Holds(JinjaContext context, string name, JinjaValue value, JinjaArguments arguments)
    {
        context.Budget.Step();
        return Tests.TryGetValue(name, out var test)
            ? test(context, value, arguments)
            : throw JinjaContext.Bad($"test {TokenizerFormatException.Quote(name)} is not supported");
    }

    private static bool Equal(JinjaContext context, JinjaValue value, JinjaArguments arguments) => context.AreEqual(value, Other(arguments));

    private static JinjaValue Other(JinjaArguments arguments) =>
        arguments.Positional is [JinjaValue other] ? other : throw JinjaContext.Bad("a test needs one argument");

    private static double Integer(JinjaValue value) =>
        value is JinjaValue.Number { IsFloat: false } number ? number.Value : throw JinjaContext.Bad($"{value.Kind} is no integer");

    private static double NonZero(JinjaArguments arguments) => Integer(Other(arguments)) is var divisor && divisor != 0
        ? divisor
        : throw JinjaContext.Bad("division by 0");
}
