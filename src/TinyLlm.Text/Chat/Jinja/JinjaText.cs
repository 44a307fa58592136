using System.Globalization;
using System.Text;

namespace TinyLlm.Text.Jinja;

/// <summary>Values as text, and as JSON the way Python's <c>json.dumps</c> lays it out.</summary>
internal sealed class JinjaText(JinjaBudget budget)
{
    /// <summary>What a value looks like in the prompt: nothing for what is not there.</summary>
    public string Of(JinjaValue value) => value switch
    {
        JinjaValue.Undefined or JinjaValue.Null => "",
        JinjaValue.Text text => text.Value,
        JinjaValue.Bool flag => flag.Value ? "true" : "false",
        JinjaValue.Number number => OfNumber(number),
        JinjaValue.Function => throw new ChatTemplateException(ChatTemplateError.BadOperation, "the chat template writes a function as text"),
        _ => Json(value, new JsonLayout()),
    };

    public string Json(JinjaValue value, JsonLayout layout)
    {
        StringBuilder json = new();
        Append(value, layout, 0, json);
        return json.ToString();
    }

    public static string OfNumber(JinjaValue.Number number)
    {
        string text = Shortest(number.Value);
        return number.IsFloat && double.IsInteger(number.Value) && !text.Contains('e', StringComparison.Ordinal) ? text + ".0" : text;
    }

    /// <summary>The shortest digits that give the number back, with an exponent from 1e21 and below 1e-6, as JavaScript writes numbers.</summary>
    private static string Shortest(double value)
    {
        if (value == 0) return "0";
        double size = Math.Abs(value);
        if (size is >= 1e-6 and < 1e21)
        {
            // A decimal has too few digits for the largest of these; the round-trip format may put an exponent where it should not.
            string plain = value.ToString("R", CultureInfo.InvariantCulture);
            return plain.Contains('E', StringComparison.Ordinal) ? Unfold(plain) : plain;
        }
        string[] parts = value.ToString("R", CultureInfo.InvariantCulture).Split('E');
        int exponent = int.Parse(parts[1], CultureInfo.InvariantCulture);
        return string.Create(CultureInfo.InvariantCulture, $"{parts[0]}e{(exponent < 0 ? "-" : "+")}{Math.Abs(exponent)}");
    }

    /// <summary>1.5E-05 as 0.000015, and 1.5E+17 as 150000000000000000.</summary>
    private static string Unfold(string scientific)
    {
        string[] parts = scientific.TrimStart('-').Split('E');
        string digits = parts[0].Replace(".", "", StringComparison.Ordinal);
        int exponent = int.Parse(parts[1], CultureInfo.InvariantCulture);
        string plain = exponent < 0 ? "0." + new string('0', -exponent - 1) + digits : digits.PadRight(exponent + 1, '0');
        return scientific[0] == '-' ? "-" + plain : plain;
    }

    private void Append(JinjaValue value, JsonLayout layout, int depth, StringBuilder json)
    {
        budget.Step();
        if (depth > JinjaLimits.MaxDepth) throw new ChatTemplateException(ChatTemplateError.TooDeep, $"a value nests more than {JinjaLimits.MaxDepth} deep");
        switch (value)
        {
            case JinjaValue.Null or JinjaValue.Undefined: json.Append("null"); break;
            case JinjaValue.Bool flag: json.Append(flag.Value ? "true" : "false"); break;
            case JinjaValue.Number number: json.Append(Shortest(number.Value)); break;
            case JinjaValue.Text text: AppendQuoted(text.Value, layout, json); break;
            case JinjaValue.List list:
                AppendItems(list.Items, '[', ']', layout, depth, json, item => Append(item, layout, depth + 1, json));
                break;
            case JinjaValue.Map { Items: var items }: AppendMap(items, layout, depth, json); break;
            case JinjaValue.Namespace { Items: var items }: AppendMap(items, layout, depth, json); break;
            default: throw new ChatTemplateException(ChatTemplateError.BadOperation, $"{value.Kind} has no JSON");
        }
        budget.Text(json.Length);
    }

    private void AppendMap(OrderedDictionary<string, JinjaValue> items, JsonLayout layout, int depth, StringBuilder json)
    {
        IEnumerable<KeyValuePair<string, JinjaValue>> ordered = layout.SortKeys ? items.OrderBy(item => item.Key, StringComparer.Ordinal) : items;
        AppendItems([.. ordered], '{', '}', layout, depth, json, item =>
        {
            AppendQuoted(item.Key, layout, json);
            json.Append(layout.KeySeparator);
            Append(item.Value, layout, depth + 1, json);
        });
    }

    private void AppendItems<T>(
        IReadOnlyList<T> items, char open, char close, JsonLayout layout, int depth, StringBuilder json, Action<T> append)
    {
        json.Append(open);
        bool indented = layout.Indent > 0 && items.Count > 0;
        for (int i = 0; i < items.Count; i++)
        {
            if (i > 0) json.Append(layout.ItemSeparator);
            if (indented) NewLine(depth + 1);
            append(items[i]);
        }
        if (indented) NewLine(depth);
        json.Append(close);

        void NewLine(int level)
        {
            budget.Text(json.Length + ((long)layout.Indent * level));
            json.Append('\n').Append(' ', layout.Indent * level);
        }
    }

    /// <summary>Escapes what JSON demands and no more; on request everything beyond ASCII too.</summary>
    private void AppendQuoted(string text, JsonLayout layout, StringBuilder json)
    {
        budget.Text(text.Length);
        json.Append('"');
        foreach (char c in text)
        {
            _ = c switch
            {
                '"' => json.Append("\\\""),
                '\\' => json.Append("\\\\"),
                '\b' => json.Append("\\b"),
                '\f' => json.Append("\\f"),
                '\n' => json.Append("\\n"),
                '\r' => json.Append("\\r"),
                '\t' => json.Append("\\t"),
                < ' ' => json.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
                >= '\u007F' when layout.EnsureAscii => json.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
                _ => json.Append(c),
            };
        }
        json.Append('"');
    }
}
