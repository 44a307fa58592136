using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace TinyLlm.Text.Tests.Constraints;

/// <summary>Writes one document in one of its many spellings: white space, and characters raw or escaped, as a seed has it.</summary>
internal sealed class JsonSpelling(Random random)
{
    private readonly StringBuilder _text = new();

    public static string Write(JsonNode? node, Random random)
    {
        JsonSpelling spelling = new(random);
        spelling.Value(node);
        return spelling._text.ToString();
    }

    private void Value(JsonNode? node)
    {
        Space();
        switch (node)
        {
            case JsonObject members:
                List('{', '}', members, member =>
                {
                    Space();
                    Text(member.Key);
                    Space();
                    _text.Append(':');
                    Value(member.Value);
                });
                break;
            case JsonArray items:
                List('[', ']', items, Value);
                break;
            case JsonValue value when value.GetValueKind() == System.Text.Json.JsonValueKind.String:
                Text((string)value!);
                break;
            default:
                _text.Append(node?.ToJsonString() ?? "null");
                break;
        }
        Space();
    }

    private void List<T>(char open, char close, IEnumerable<T> items, Action<T> write)
    {
        _text.Append(open);
        bool isFirst = true;
        foreach (T item in items)
        {
            if (!isFirst) _text.Append(',');
            isFirst = false;
            write(item);
        }
        if (isFirst) Space();
        _text.Append(close);
    }

    private void Space()
    {
        // Two of these may follow each other, and 64 are allowed.
        int count = random.Next(12) switch
        {
            0 => random.Next(1, 32),
            < 4 => 1,
            _ => 0,
        };
        for (int i = 0; i < count; i++) _text.Append(" \n\t\r"[random.Next(4)]);
    }

    private void Text(string value)
    {
        _text.Append('"');
        foreach (char c in value)
        {
            string? shorter = c switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                '/' => "\\/",
                '\b' => "\\b",
                '\f' => "\\f",
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                _ => null,
            };
            bool mustEscape = c < 0x20 || c is '"' or '\\';
            // Half of a pair raw and half escaped is no text, so pairs are written as they come.
            bool isHalf = char.IsSurrogate(c);
            if (!isHalf && random.Next(6) == 0) _text.Append(random.Next(2) == 0 ? $"\\u{(int)c:x4}" : $"\\u{(int)c:X4}");
            else if (shorter is not null && (mustEscape || random.Next(2) == 0)) _text.Append(shorter);
            else if (mustEscape) _text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            else _text.Append(c);
        }
        _text.Append('"');
        if (random.Next(3) == 0) EscapePairs();
    }

    private void EscapePairs()
    {
        for (int i = 0; i + 1 < _text.Length; i++)
        {
            if (!char.IsHighSurrogate(_text[i])) continue;
            string escaped = string.Create(CultureInfo.InvariantCulture, $"\\u{(int)_text[i]:x4}\\u{(int)_text[i + 1]:X4}");
            _text.Remove(i, 2).Insert(i, escaped);
        }
    }
}
