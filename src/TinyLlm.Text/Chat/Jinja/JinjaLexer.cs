using System.Globalization;
using System.Text;
using TinyLlm.Text.Unicode;

namespace TinyLlm.Text.Jinja;

/// <summary>
/// Cuts a template's source into tokens. White space is handled as transformers sets Jinja up: a block tag takes the blanks before it on its line and the line feed
/// after it with it, and the template's last line feed does not count.
/// </summary>
internal sealed class JinjaLexer
{
    private static readonly string[] Operators =
        ["**", "//", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "~", "<", ">", "=", "(", ")", "[", "]", "{", "}", ",", ".", ":", "|"];

    private readonly string source;
    private readonly List<JinjaToken> tokens = [];
    private int at;
    private int line = 1;
    private int lineCountedTo;

    private JinjaLexer(string source) => this.source = source;

    public static List<JinjaToken> Tokenize(string source)
    {
        if (source.Length > JinjaLimits.MaxSourceChars)
        {
            throw new ChatTemplateException(ChatTemplateError.SourceTooLarge,
                $"the chat template has {source.Length} characters: at most {JinjaLimits.MaxSourceChars} are allowed");
        }
        JinjaLexer lexer = new(source.EndsWith('\n') ? source[..^1] : source);
        lexer.ReadAll();
        return lexer.tokens;
    }

    private void ReadAll()
    {
        Strip after = Strip.None;
        while (at < source.Length)
        {
            int tag = FindTag(at);
            ReadText(tag, after);
            if (tag == source.Length) break;
            at = tag + 2;
            after = source[tag + 1] switch
            {
                '#' => SkipComment(),
                '%' => ReadTag(JinjaTokenKind.BlockStart, JinjaTokenKind.BlockEnd, "%}"),
                _ => ReadTag(JinjaTokenKind.ExpressionStart, JinjaTokenKind.ExpressionEnd, "}}"),
            };
        }
        Add(JinjaTokenKind.End, "");
    }

    private int FindTag(int from)
    {
        for (int open = source.IndexOf('{', from); open >= 0 && open + 1 < source.Length; open = source.IndexOf('{', open + 1))
        {
            if (source[open + 1] is '{' or '%' or '#') return open;
        }
        return source.Length;
    }

    private void ReadText(int tag, Strip after)
    {
        int start = at;
        int end = tag;
        if (tag < source.Length)
        {
            char mark = tag + 2 < source.Length ? source[tag + 2] : '\0';
            if (mark == '-') end -= WordCharacters.TrailingWhiteSpace(source.AsSpan(start, end - start));
            else if (mark != '+' && source[tag + 1] != '{') end = BeforeIndent(start, end);
        }
        if (after == Strip.WhiteSpace) start += WordCharacters.LeadingWhiteSpace(source.AsSpan(start, Math.Max(0, end - start)));
        else if (after == Strip.LineFeed && start < end && source[start] == '\n') start++;
        if (start < end) Add(JinjaTokenKind.Text, source[start..end]);
    }

    /// <summary>The end of the text without the blanks between its last line's beginning and the tag.</summary>
    private int BeforeIndent(int start, int end)
    {
        int indent = end;
        while (indent > start && source[indent - 1] is ' ' or '\t') indent--;
        return indent == 0 || source[indent - 1] == '\n' ? indent : end;
    }

    private Strip SkipComment()
    {
        int close = source.IndexOf("#}", at, StringComparison.Ordinal);
        if (close < 0) throw Bad("a comment has no end");
        Strip after = close > at && source[close - 1] == '-' ? Strip.WhiteSpace : Strip.LineFeed;
        at = close + 2;
        return after;
    }

    private Strip ReadTag(JinjaTokenKind start, JinjaTokenKind end, string close)
    {
        Add(start, "");
        if (at < source.Length && source[at] is '-' or '+') at++;
        int braces = 0;
        while (true)
        {
            at += WordCharacters.LeadingWhiteSpace(source.AsSpan(at));
            if (at >= source.Length) throw Bad("a tag has no end");
            // Inside a literal object, '}}' closes two braces.
            if (braces == 0 && EndsHere(close) is { } after)
            {
                Add(end, "");
                return after;
            }
            char c = source[at];
            if (c is '\'' or '"') ReadString(c);
            else if (char.IsAsciiDigit(c)) ReadNumber();
            else if (c == '_' || char.IsAsciiLetter(c)) ReadName();
            else braces += ReadOperator();
        }
    }

    private Strip? EndsHere(string close)
    {
        Strip plain = close == "%}" ? Strip.LineFeed : Strip.None;
        foreach ((string mark, Strip strip) in new[] { ("-", Strip.WhiteSpace), ("+", Strip.None), ("", plain) })
        {
            if (!source.AsSpan(at).StartsWith(mark + close)) continue;
            at += mark.Length + close.Length;
            return strip;
        }
        return null;
    }

    private void ReadString(char quote)
    {
        StringBuilder value = new();
        for (at++; at < source.Length && source[at] != quote; at++)
        {
            if (source[at] == '\\' && at + 1 < source.Length) ReadEscape(value);
            else value.Append(source[at]);
        }
        if (at >= source.Length) throw Bad("a string has no end");
        at++;
        Add(JinjaTokenKind.String, value.ToString());
    }

    /// <summary>An escape at the backslash; leaves the place at its last character. An unknown one stands for itself.</summary>
    private void ReadEscape(StringBuilder value)
    {
        char kind = source[++at];
        if (kind is 'x' or 'u')
        {
            int length = kind == 'x' ? 2 : 4;
            if (at + length >= source.Length
                || !ushort.TryParse(source.AsSpan(at + 1, length), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ushort unit))
                throw Bad($"an escape \\{kind} without {length} hexadecimal digits");
            value.Append((char)unit);
            at += length;
            return;
        }
        _ = kind switch
        {
            'n' => value.Append('\n'),
            't' => value.Append('\t'),
            'r' => value.Append('\r'),
            'b' => value.Append('\b'),
            'f' => value.Append('\f'),
            'v' => value.Append('\v'),
            '\'' or '"' or '\\' => value.Append(kind),
            _ => value.Append('\\').Append(kind),
        };
    }

    private void ReadNumber()
    {
        int start = at;
        while (at < source.Length && char.IsAsciiDigit(source[at])) at++;
        // In a.0.1 both are places, not a fraction.
        bool isFraction = tokens[^1] is not { Kind: JinjaTokenKind.Operator, Value: "." } && at + 1 < source.Length && source[at] == '.'
            && char.IsAsciiDigit(source[at + 1]);
        if (isFraction)
        {
            at++;
            while (at < source.Length && char.IsAsciiDigit(source[at])) at++;
        }
        Add(isFraction ? JinjaTokenKind.Float : JinjaTokenKind.Integer, source[start..at]);
    }

    private void ReadName()
    {
        int start = at;
        while (at < source.Length && (source[at] == '_' || char.IsAsciiLetterOrDigit(source[at]))) at++;
        Add(JinjaTokenKind.Name, source[start..at]);
    }

    /// <summary>By how much it changes the number of open braces.</summary>
    private int ReadOperator()
    {
        foreach (string symbol in Operators)
        {
            if (!source.AsSpan(at).StartsWith(symbol)) continue;
            Add(JinjaTokenKind.Operator, symbol);
            at += symbol.Length;
            return symbol switch { "{" => 1, "}" => -1, _ => 0 };
        }
        throw Bad($"{TokenizerFormatException.Quote(source.Substring(at, 1))} is no part of an expression");
    }

    private void Add(JinjaTokenKind kind, string value)
    {
        line += source.AsSpan(lineCountedTo, at - lineCountedTo).Count('\n');
        lineCountedTo = at;
        tokens.Add(new JinjaToken(kind, value, line));
    }

    private ChatTemplateException Bad(string what) =>
        new(ChatTemplateError.BadSyntax, $"the chat template is malformed after line {line}: {what}");

    /// <summary>What a tag takes with it of the text after it.</summary>
    private enum Strip
    {
        None,
        LineFeed,
        WhiteSpace,
    }
}
