using System.Globalization;

namespace TinyLlm.Text.Jinja;

/// <summary>The filters that may stand after a bar: this list and no others.</summary>
internal static class JinjaFilters
{
    private static readonly Dictionary<string, Func<JinjaContext, JinjaValue, JinjaArguments, JinjaValue>> Filters = new(StringComparer.Ordinal)
    {
        ["safe"] = (_, value, _) => value,
        ["string"] = (context, value, _) => context.NewText(context.Text.Of(value)),
        ["tojson"] = ToJson,
        ["default"] = Default,
        ["d"] = Default,
        ["trim"] = (context, value, _) => context.NewText(JinjaMethods.Trim(context.Text.Of(value))),
        ["upper"] = (context, value, _) => context.NewText(context.Text.Of(value).ToUpperInvariant()),
        ["lower"] = (context, value, _) => context.NewText(context.Text.Of(value).ToLowerInvariant()),
        ["title"] = (context, value, _) => context.NewText(JinjaMethods.Title(context.Text.Of(value))),
        ["capitalize"] = (context, value, _) => context.NewText(JinjaMethods.Capitalize(context.Text.Of(value))),
        ["replace"] = (context, value, arguments) => JinjaMethods.Replace(context, context.Text.Of(value), arguments),
        ["indent"] = Indent,
        ["length"] = Length,
        ["count"] = Length,
        ["int"] = ToInteger,
        ["float"] = ToFloat,
        ["abs"] = (_, value, _) => value is JinjaValue.Number number ? number with { Value = Math.Abs(number.Value) } : throw JinjaContext.Bad($"{value.Kind} has no size"),
        ["round"] = (_, value, arguments) => new JinjaValue.Number(
            Math.Round(JinjaContext.Numeric(value) ?? throw JinjaContext.Bad($"{value.Kind} can't be rounded"), Math.Clamp(arguments.Integer(0, "precision") ?? 0, 0, 15)),
            IsFloat: true),
        ["bool"] = (_, value, _) => JinjaValue.Of(value.IsTrue),
        ["list"] = (context, value, _) => new JinjaValue.List(context.Iterate(value)),
        ["first"] = (context, value, _) => context.Iterate(value).FirstOrDefault(JinjaValue.Missing),
        ["last"] = (context, value, _) => context.Iterate(value).LastOrDefault(JinjaValue.Missing),
        ["reverse"] = Reverse,
        ["join"] = (context, value, arguments) => JinjaMethods.Join(context, Mapped(context, value, arguments), arguments.Find<JinjaValue.Text>(0, "d")?.Value ?? ""),
        ["items"] = (context, value, _) => JinjaMethods.Items(context, RequireMap(value)),
        ["dictsort"] = JinjaListFilters.DictSort,
        ["sort"] = JinjaListFilters.Sort,
        ["unique"] = JinjaListFilters.Unique,
        ["min"] = (context, value, _) => JinjaListFilters.Extreme(context, value, sign: -1),
        ["max"] = (context, value, _) => JinjaListFilters.Extreme(context, value, sign: 1),
        ["sum"] = (context, value, _) => context.Iterate(value).Aggregate((JinjaValue)JinjaValue.Of(0), (sum, item) => JinjaOperators.Apply(context, "+", sum, item)),
        ["map"] = JinjaListFilters.Map,
        ["select"] = (context, value, arguments) => JinjaListFilters.Select(context, value, arguments, byAttribute: false, wanted: true),
        ["reject"] = (context, value, arguments) => JinjaListFilters.Select(context, value, arguments, byAttribute: false, wanted: false),
        ["selectattr"] = (context, value, arguments) => JinjaListFilters.Select(context, value, arguments, byAttribute: true, wanted: true),
        ["rejectattr"] = (context, value, arguments) => JinjaListFilters.Select(context, value, arguments, byAttribute: true, wanted: false),
    };

    public static bool IsKnown(string name) => Filters.ContainsKey(name);

    public static JinjaValue Apply(JinjaContext context, string name, JinjaValue value, JinjaArguments arguments)
    {
        context.Budget.Step();
        if (value is JinjaValue.Text text) context.Budget.Text(text.Value.Length);
        return Filters.TryGetValue(name, out var filter)
            ? filter(context, value, arguments)
            : throw JinjaContext.Bad($"filter {TokenizerFormatException.Quote(name)} is not supported");
    }

    public static OrderedDictionary<string, JinjaValue> RequireMap(JinjaValue value) =>
        value is JinjaValue.Map map ? map.Items : throw JinjaContext.Bad($"{value.Kind} is no mapping");

    private static JinjaValue ToJson(JinjaContext context, JinjaValue value, JinjaArguments arguments)
    {
        int indent = Math.Max(0, arguments.Integer(0, "indent") ?? 0);
        bool isFunction = value is JinjaValue.Function;
        if (isFunction) throw JinjaContext.Bad("a function has no JSON");
        JsonLayout layout = new()
        {
            Indent = indent,
            ItemSeparator = indent > 0 ? "," : ", ",
            EnsureAscii = arguments.Named.GetValueOrDefault("ensure_ascii")?.IsTrue ?? false,
            SortKeys = arguments.Named.GetValueOrDefault("sort_keys")?.IsTrue ?? false,
        };
        layout = arguments.Named.GetValueOrDefault("separators") switch
        {
            null or JinjaValue.Null => layout,
            JinjaValue.List { Items: [JinjaValue.Text item, JinjaValue.Text key] } => layout with { ItemSeparator = item.Value, KeySeparator = key.Value },
            _ => throw JinjaContext.Bad("separators must be two strings"),
        };
        return context.NewText(context.Text.Json(value, layout));
    }

    private static JinjaValue Default(JinjaContext context, JinjaValue value, JinjaArguments arguments)
    {
        bool isAbsent = value is JinjaValue.Undefined || (arguments.Flag(1, "boolean") && !value.IsTrue);
        return isAbsent ? arguments.Find(0, "default_value") ?? JinjaValue.Of("") : value;
    }

    private static JinjaValue Indent(JinjaContext context, JinjaValue value, JinjaArguments arguments)
    {
        string prefix = arguments.Find(0, "width") is JinjaValue.Text given ? given.Value : "";
        if (prefix.Length == 0)
        {
            int width = Math.Max(0, arguments.Integer(0, "width") ?? 4);
            context.Budget.Text(width);
            prefix = new string(' ', width);
        }
        bool first = arguments.Flag(1, "first"), blank = arguments.Flag(2, "blank");
        string[] lines = context.Text.Of(value).Split('\n');
        context.Budget.Text(((long)lines.Length * prefix.Length) + lines.Sum(line => (long)line.Length));
        return context.NewText(string.Join('\n', lines.Select((line, i) => (i == 0 && !first) || (line.Length == 0 && !blank) ? line : prefix + line)));
    }

    private static JinjaValue.Number Length(JinjaContext context, JinjaValue value, JinjaArguments arguments) => value switch
    {
        JinjaValue.List list => JinjaValue.Of(list.Items.Count),
        JinjaValue.Map map => JinjaValue.Of(map.Items.Count),
        JinjaValue.Text text => JinjaValue.Of(text.Value.EnumerateRunes().Count()),
        JinjaValue.Undefined => JinjaValue.Of(0),
        _ => throw JinjaContext.Bad($"{value.Kind} has no length"),
    };

    private static JinjaValue Reverse(JinjaContext context, JinjaValue value, JinjaArguments arguments)
    {
        IReadOnlyList<JinjaValue> reversed = [.. context.Iterate(value).Reverse()];
        return value is JinjaValue.Text ? JinjaMethods.Join(context, new JinjaValue.List(reversed), "") : context.NewList(reversed);
    }

    private static JinjaValue ToInteger(JinjaContext context, JinjaValue value, JinjaArguments arguments)
    {
        double? number = value is JinjaValue.Text text && double.TryParse(text.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out double parsed)
            ? parsed
            : JinjaContext.Numeric(value);
        return number is { } found && double.IsFinite(found) ? new JinjaValue.Number(Math.Truncate(found), IsFloat: false) : arguments.Find(0, "default") ?? JinjaValue.Of(0);
    }

    private static JinjaValue ToFloat(JinjaContext context, JinjaValue value, JinjaArguments arguments)
    {
        double? number = value is JinjaValue.Text text && double.TryParse(text.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out double parsed)
            ? parsed
            : JinjaContext.Numeric(value);
        return number is { } found && double.IsFinite(found) ? new JinjaValue.Number(found, IsFloat: true) : arguments.Find(0, "default") ?? new JinjaValue.Number(0, IsFloat: true);
    }

    private static JinjaValue Mapped(JinjaContext context, JinjaValue value, JinjaArguments arguments) => arguments.Find<JinjaValue.Text>(1, "attribute") is { } attribute
        ? new JinjaValue.List([.. context.Iterate(value).Select(item => context.Attribute(item, attribute.Value))])
        : value;
}
