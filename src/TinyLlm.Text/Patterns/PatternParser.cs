using System.Globalization;
using System.Text;

namespace TinyLlm.Text.Patterns;

/// <summary>
/// Reads the regular expressions of tokenizer files (Oniguruma's Ruby syntax, as far as pre-tokenizers use it). What it does not know is refused, because
/// a pattern that means something else would give other ids.
/// </summary>
internal sealed class PatternParser
{
    private const int MaxDepth = 32;
    private const int MaxRepeats = 256;

    private readonly string source;
    private int at;
    private int depth;

    private PatternParser(string source) => this.source = source;

    private bool AtEnd => at == source.Length;

    public static PatternNode Parse(string source)
    {
        PatternParser parser = new(source);
        PatternNode node = parser.ReadChoice(ignoreCase: false);
        return parser.AtEnd ? node : throw parser.Unsupported("an unmatched ')'");
    }

    private PatternNode ReadChoice(bool ignoreCase)
    {
        if (++depth > MaxDepth) throw Unsupported($"groups nested more than {MaxDepth} deep");
        List<PatternNode> alternatives = [];
        do alternatives.Add(ReadSequence(ref ignoreCase)); while (Take('|'));
        depth--;
        return alternatives.Count == 1 ? alternatives[0] : new PatternNode.Choice(alternatives);
    }

    private PatternNode.Sequence ReadSequence(ref bool ignoreCase)
    {
        List<PatternNode> items = [];
        while (!AtEnd && source[at] is not ('|' or ')'))
        {
            // (?i) alone counts to the end of its group; after other items, Ruby's syntax would also regroup the alternatives.
            if (source.AsSpan(at).StartsWith("(?i)"))
            {
                if (items.Count > 0) throw Unsupported("(?i) after other items");
                at += 4;
                ignoreCase = true;
                continue;
            }
            PatternNode item = ReadAtom(ignoreCase);
            items.Add(ReadRepeats(item));
        }
        return new PatternNode.Sequence(items);
    }

    private PatternNode ReadRepeats(PatternNode item)
    {
        while (!AtEnd)
        {
            (int Min, int? Max) count;
            if (Take('*')) count = (0, null);
            else if (Take('+')) count = (1, null);
            else if (Take('?')) count = (0, 1);
            else if (source[at] == '{') count = ReadCount();
            else return item;
            bool interval = source[at - 1] == '}';
            if (Take('?')) item = new PatternNode.Repeat(item, count.Min, count.Max, Greedy: false);
            else if (!interval && Take('+')) item = new PatternNode.Atomic(new PatternNode.Repeat(item, count.Min, count.Max, Greedy: true));
            else if (interval && !AtEnd && source[at] == '+') throw Unsupported("'+' after an interval"); // engines differ in its meaning
            else item = new PatternNode.Repeat(item, count.Min, count.Max, Greedy: true);
        }
        return item;
    }

    private (int Min, int? Max) ReadCount()
    {
        int close = source.IndexOf('}', at);
        if (close < 0) throw Unsupported("an unmatched '{'");
        string[] ends = source[(at + 1)..close].Split(',');
        int? max = null;
        if (ends.Length is not (1 or 2) || !TryCount(ends[0], out int min) || (ends.Length == 2 && ends[1] != "" && !SetMax(ends[1])))
            throw Unsupported("an interval that is not {n}, {n,} or {n,m}");
        at = close + 1;
        if (ends.Length == 1) max = min;
        return max < min ? throw Unsupported("an interval whose end is below its start") : (min, max);

        bool SetMax(string digits)
        {
            bool isCount = TryCount(digits, out int value);
            max = value;
            return isCount;
        }
    }

    private static bool TryCount(string digits, out int count) =>
        int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out count) && count <= MaxRepeats;

    private PatternNode ReadAtom(bool ignoreCase)
    {
        if (Take('(')) return ReadGroup(ignoreCase);
        if (Take('[')) return One(ReadClass(), ignoreCase);
        if (Take('.')) return new PatternNode.One(CodePoints.NotLineFeed);
        if (source[at] is '^' or '$' or '*' or '+' or '?' or '{') throw Unsupported($"'{source[at]}' here");
        if (Take('\\'))
        {
            if (Take('A')) return new PatternNode.Start();
            if (Take('z')) return new PatternNode.End();
            return One(ReadEscape(), ignoreCase);
        }
        Rune literal = ReadRune();
        return One(new CodePoints.Range(literal.Value, literal.Value), ignoreCase);
    }

    private static PatternNode.One One(CodePoints set, bool ignoreCase) => new(ignoreCase ? CodePoints.IgnoringCase(set) : set);

    private PatternNode ReadGroup(bool ignoreCase)
    {
        PatternNode node;
        if (TakeAll("?:")) node = ReadChoice(ignoreCase);
        else if (TakeAll("?i:")) node = ReadChoice(ignoreCase: true);
        else if (TakeAll("?>")) node = new PatternNode.Atomic(ReadChoice(ignoreCase));
        else if (TakeAll("?=")) node = new PatternNode.Look(ReadChoice(ignoreCase), Negative: false);
        else if (TakeAll("?!")) node = new PatternNode.Look(ReadChoice(ignoreCase), Negative: true);
        else if (TakeAll("?<=")) node = new PatternNode.LookBehind(OneCharacter(ReadChoice(ignoreCase)), Negative: false);
        else if (TakeAll("?<!")) node = new PatternNode.LookBehind(OneCharacter(ReadChoice(ignoreCase)), Negative: true);
        else if (!AtEnd && source[at] == '?') throw Unsupported("a group of this kind");
        else node = ReadChoice(ignoreCase); // a capture, which nothing can refer to
        return Take(')') ? node : throw Unsupported("an unmatched '('");
    }

    private CodePoints OneCharacter(PatternNode node) => node switch
    {
        PatternNode.One one => one.Set,
        PatternNode.Sequence { Items: [PatternNode item] } => OneCharacter(item),
        PatternNode.Choice choice => new CodePoints.Union([.. choice.Items.Select(OneCharacter)]),
        _ => throw Unsupported("a look-behind over more than one character"),
    };

    /// <summary>A class after its '['. Nested classes and '&amp;&amp;' mean what they mean in Oniguruma.</summary>
    private CodePoints ReadClass()
    {
        if (++depth > MaxDepth) throw Unsupported($"classes nested more than {MaxDepth} deep");
        bool inverse = Take('^');
        CodePoints? left = null;
        List<CodePoints> parts = [];
        // A first ']' would be literal in some engines and an end in others.
        if (!AtEnd && source[at] == ']') throw Unsupported("an empty class");
        while (!Take(']'))
        {
            if (AtEnd) throw Unsupported("an unmatched '['");
            if (TakeAll("&&"))
            {
                if (parts.Count == 0) throw Unsupported("'&&' with an empty side");
                left = Intersect(left, parts);
                parts = [];
                continue;
            }
            parts.Add(ReadClassPart());
        }
        if (parts.Count == 0) throw Unsupported("'&&' with an empty side");
        CodePoints set = Intersect(left, parts);
        depth--;
        return inverse ? new CodePoints.Inverse(set) : set;
    }

    private static CodePoints Intersect(CodePoints? left, List<CodePoints> parts)
    {
        CodePoints right = parts.Count == 1 ? parts[0] : new CodePoints.Union(parts);
        return left is null ? right : new CodePoints.Intersection(left, right);
    }

    private CodePoints ReadClassPart()
    {
        if (source.AsSpan(at).StartsWith("[:")) throw Unsupported("a POSIX bracket");
        if (Take('[')) return ReadClass();
        CodePoints first = Take('\\') ? ReadEscape() : Literal(ReadRune());
        bool isRange = at + 1 < source.Length && source[at] == '-' && source[at + 1] != ']';
        if (!isRange || first is not CodePoints.Range { } low || low.First != low.Last) return first;
        at++;
        if (source[at] == '[') throw Unsupported("a range that ends in a class");
        CodePoints last = Take('\\') ? ReadEscape() : Literal(ReadRune());
        if (last is not CodePoints.Range { } high || high.First != high.Last || high.First < low.First) throw Unsupported("a range of this kind");
        return new CodePoints.Range(low.First, high.First);
    }

    private static CodePoints.Range Literal(Rune rune) => new(rune.Value, rune.Value);

    /// <summary>An escape after its backslash that stands for one character.</summary>
    private CodePoints ReadEscape()
    {
        if (AtEnd) throw Unsupported("a backslash at the end");
        char kind = source[at];
        if (kind is 'p' or 'P') return ReadProperty();
        if (kind is 'x' or 'u') return ReadHex();
        Rune rune = ReadRune();
        return kind switch
        {
            's' => CodePoints.WhiteSpace,
            'S' => new CodePoints.Inverse(CodePoints.WhiteSpace),
            'd' => CodePoints.Digit,
            'D' => new CodePoints.Inverse(CodePoints.Digit),
            'w' => CodePoints.WordCharacter,
            'W' => new CodePoints.Inverse(CodePoints.WordCharacter),
            'n' => new CodePoints.Range('\n', '\n'),
            'r' => new CodePoints.Range('\r', '\r'),
            't' => new CodePoints.Range('\t', '\t'),
            'f' => new CodePoints.Range('\f', '\f'),
            'v' => new CodePoints.Range('\v', '\v'),
            _ when char.IsAsciiLetterOrDigit(kind) => throw Unsupported($"the escape \\{kind}"),
            _ => Literal(rune),
        };
    }

    private CodePoints ReadProperty()
    {
        bool inverse = source[at] == 'P';
        at++;
        string name;
        if (Take('{'))
        {
            int close = source.IndexOf('}', at);
            if (close < 0) throw Unsupported("an unmatched '{'");
            name = source[at..close];
            at = close + 1;
        }
        else
        {
            name = AtEnd ? "" : source[at++].ToString();
        }
        if (name.StartsWith('^'))
        {
            inverse = !inverse;
            name = name[1..];
        }
        CodePoints set = CodePoints.Named(name) ?? throw Unsupported($"the property {TokenizerFormatException.Quote(name)}");
        return inverse ? new CodePoints.Inverse(set) : set;
    }

    private CodePoints.Range ReadHex()
    {
        bool isShort = source[at++] == 'x';
        string digits;
        if (Take('{'))
        {
            int close = source.IndexOf('}', at);
            if (close < 0) throw Unsupported("an unmatched '{'");
            digits = source[at..close];
            at = close + 1;
        }
        else
        {
            int length = isShort ? 2 : 4;
            if (at + length > source.Length) throw Unsupported("an unfinished escape");
            digits = source.Substring(at, length);
            at += length;
        }
        if (!int.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int value) || !Rune.IsValid(value))
            throw Unsupported("an escape that is no character");
        return new CodePoints.Range(value, value);
    }

    private Rune ReadRune()
    {
        if (AtEnd || Rune.DecodeFromUtf16(source.AsSpan(at), out Rune rune, out int length) != System.Buffers.OperationStatus.Done)
            throw Unsupported("an end here");
        at += length;
        return rune;
    }

    private bool Take(char expected)
    {
        if (AtEnd || source[at] != expected) return false;
        at++;
        return true;
    }

    private bool TakeAll(string expected)
    {
        if (!source.AsSpan(at).StartsWith(expected)) return false;
        at += expected.Length;
        return true;
    }

    private TokenizerFormatException Unsupported(string what) =>
        new(TokenizerFormatError.UnsupportedPattern, $"regular expression {TokenizerFormatException.Quote(source)} has at {at} what is not supported: {what}");
}
