using System.Text;
using TinyLlm.Text.Unicode;

namespace TinyLlm.Text.Jinja;

/// <summary>Methods of strings, lists and mappings, as Python's.</summary>
internal static class JinjaMethods
{
    private static readonly Dictionary<string, Func<JinjaContext, string, JinjaArguments, JinjaValue>> OfText = new(StringComparer.Ordinal)
    {
        ["upper"] = (context, text, _) => context.NewText(text.ToUpperInvariant()),
        ["lower"] = (context, text, _) => context.NewText(text.ToLowerInvariant()),
        ["title"] = (context, text, _) => context.NewText(Title(text)),
        ["capitalize"] = (context, text, _) => context.NewText(Capitalize(text)),
        ["strip"] = (context, text, arguments) => context.NewText(Strip(context, text, arguments, left: true, right: true)),
        ["lstrip"] = (context, text, arguments) => context.NewText(Strip(context, text, arguments, left: true, right: false)),
        ["rstrip"] = (context, text, arguments) => context.NewText(Strip(context, text, arguments, left: false, right: true)),
        ["startswith"] = (_, text, arguments) => JinjaValue.Of(Affixes(arguments).Any(affix => text.StartsWith(affix, StringComparison.Ordinal))),
        ["endswith"] = (_, text, arguments) => JinjaValue.Of(Affixes(arguments).Any(affix => text.EndsWith(affix, StringComparison.Ordinal))),
        ["split"] = (context, text, arguments) => context.NewList(Split(context, text, arguments)),
        ["splitlines"] = (context, text, _) => context.NewList([.. text.ReplaceLineEndings("\n").TrimEnd('\n').Split('\n').Select(JinjaValue.Of)]),
        ["replace"] = Replace,
        ["join"] = (context, text, arguments) => Join(context, arguments.Positional.Count > 0 ? arguments.Positional[0] : JinjaValue.Missing, text),
        ["find"] = (context, text, arguments) => JinjaValue.Of(text.IndexOf(arguments.Text(0, "sub"), StringComparison.Ordinal)),
        ["count"] = (context, text, arguments) => JinjaValue.Of(text.AsSpan().Count(arguments.Text(0, "sub"))),
        ["isdigit"] = (_, text, _) => JinjaValue.Of(text.Length > 0 && text.All(char.IsDigit)),
    };

    private static readonly Dictionary<string, Func<JinjaContext, OrderedDictionary<string, JinjaValue>, JinjaArguments, JinjaValue>> OfMap = new(StringComparer.Ordinal)
    {
        ["get"] = (_, items, arguments) => items.GetValueOrDefault(arguments.Text(0, "key")) ?? arguments.Find(1, "default") ?? JinjaValue.None,
        ["items"] = (context, items, _) => Items(context, items),
        ["keys"] = (context, items, _) => context.NewList([.. items.Keys.Select(JinjaValue.Of)]),
        ["values"] = (context, items, _) => context.NewList([.. items.Values]),
    };

    /// <summary>The method as a function, or null when the value has none of that name.</summary>
    public static JinjaValue? Find(JinjaContext context, JinjaValue value, string name) => value switch
    {
        JinjaValue.Text text when OfText.TryGetValue(name, out var method) =>
            new JinjaValue.Function(name, arguments =>
            {
                context.Budget.Text(text.Value.Length);
                return method(context, text.Value, arguments);
            }),
        JinjaValue.Map map when OfMap.TryGetValue(name, out var method) => new JinjaValue.Function(name, arguments => method(context, map.Items, arguments)),
        _ => null,
    };

    public static JinjaValue Items(JinjaContext context, OrderedDictionary<string, JinjaValue> items) =>
        context.NewList([.. items.Select(item => new JinjaValue.List([JinjaValue.Of(item.Key), item.Value]))]);

    /// <summary>Replaces occurrences from the left, all or the first of them.</summary>
    public static JinjaValue Replace(JinjaContext context, string text, JinjaArguments arguments)
    {
        string from = arguments.Text(0, "old"), to = arguments.Text(1, "new");
        int count = arguments.Integer(2, "count") ?? -1;
        if (from.Length == 0) throw JinjaContext.Bad("an empty string can't be replaced");
        StringBuilder replaced = new();
        int done = 0;
        for (int at = text.IndexOf(from, StringComparison.Ordinal); at >= 0 && count != 0; at = text.IndexOf(from, done, StringComparison.Ordinal), count--)
        {
            context.Budget.Text((long)replaced.Length + (at - done) + to.Length);
            replaced.Append(text, done, at - done).Append(to);
            done = at + from.Length;
        }
        return context.NewText(replaced.Append(text, done, text.Length - done).ToString());
    }

    public static JinjaValue Join(JinjaContext context, JinjaValue items, string separator)
    {
        StringBuilder joined = new();
        bool isFirst = true;
        foreach (JinjaValue item in context.Iterate(items))
        {
            string text = context.Text.Of(item);
            context.Budget.Text((long)joined.Length + separator.Length + text.Length);
            joined.Append(isFirst ? "" : separator).Append(text);
            isFirst = false;
        }
        return context.NewText(joined.ToString());
    }

    public static string Title(string text)
    {
        StringBuilder title = new(text.Length);
        bool inWord = false;
        foreach (char c in text)
        {
            title.Append(inWord ? char.ToLowerInvariant(c) : char.ToUpperInvariant(c));
            inWord = char.IsLetter(c);
        }
        return title.ToString();
    }

    public static string Capitalize(string text) => text.Length == 0 ? "" : char.ToUpperInvariant(text[0]) + text[1..].ToLowerInvariant();

    public static string Trim(string text)
    {
        text = text[WordCharacters.LeadingWhiteSpace(text)..];
        return text[..^WordCharacters.TrailingWhiteSpace(text)];
    }

    /// <summary>Of white space, or of any of the characters given.</summary>
    private static string Strip(JinjaContext context, string text, JinjaArguments arguments, bool left, bool right)
    {
        string? chars = arguments.Find<JinjaValue.Text>(0, "chars")?.Value;
        if (chars is not null)
        {
            context.Budget.Text((long)chars.Length * JinjaLimits.ItemsPerStep);
            if (left) text = text.TrimStart(chars.ToCharArray());
            return right ? text.TrimEnd(chars.ToCharArray()) : text;
        }
        if (left) text = text[WordCharacters.LeadingWhiteSpace(text)..];
        return right ? text[..^WordCharacters.TrailingWhiteSpace(text)] : text;
    }

    private static IEnumerable<string> Affixes(JinjaArguments arguments) => arguments.Positional switch
    {
        [JinjaValue.Text affix] => [affix.Value],
        [JinjaValue.List affixes] => affixes.Items.OfType<JinjaValue.Text>().Select(affix => affix.Value),
        _ => throw JinjaContext.Bad("startswith and endswith need a string or a list of strings"),
    };

    private static List<JinjaValue> Split(JinjaContext context, string text, JinjaArguments arguments)
    {
        string? separator = arguments.Find<JinjaValue.Text>(0, "sep")?.Value;
        int most = arguments.Integer(1, "maxsplit") is { } given and >= 0 ? given : int.MaxValue;
        if (separator == "") throw JinjaContext.Bad("the separator of split is empty");
        List<JinjaValue> parts = [];
        int start = separator is null ? WordCharacters.LeadingWhiteSpace(text) : 0;
        while (true)
        {
            context.Budget.Step();
            (int end, int next) = parts.Count == most ? (-1, -1) : separator is null ? NextSpace(text, start) : NextSeparator(text, separator, start);
            if (end < 0) break;
            parts.Add(JinjaValue.Of(text[start..end]));
            start = next;
        }
        if (separator is not null || start < text.Length) parts.Add(JinjaValue.Of(text[start..]));
        return parts;
    }

    private static (int End, int Next) NextSeparator(string text, string separator, int start)
    {
        int at = text.IndexOf(separator, start, StringComparison.Ordinal);
        return (at, at + separator.Length);
    }

    private static (int End, int Next) NextSpace(string text, int start)
    {
        int end = start;
        while (end < text.Length && !ScriptSpace.Contains(text[end])) end++;
        return end == text.Length ? (-1, -1) : (end, end + WordCharacters.LeadingWhiteSpace(text.AsSpan(end)));
    }
}
