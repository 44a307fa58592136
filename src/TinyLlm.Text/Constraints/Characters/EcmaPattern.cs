using System.Globalization;
using System.Text;

namespace TinyLlm.Text.Constraints;

/// <summary>
/// Reads ECMA-262 regular expressions, as JSON Schema's <c>pattern</c> wants them, in the subset that is regular: literals, classes, groups, alternation,
/// quantifiers, <c>^</c> and <c>$</c>. What is not (look-around, back references, word boundaries) or depends on a Unicode version (<c>\p</c>) is refused by
/// its place.
/// </summary>
internal sealed class EcmaPattern
{
    private const int MaxGroups = 100, MaxRepeats = 1_000;

    private static readonly CodePointRange[] Digits = [new('0', '9')];
    private static readonly CodePointRange[] Words = [new('0', '9'), new('A', 'Z'), new('_', '_'), new('a', 'z')];

    // ECMA-262 WhiteSpace and LineTerminator.
    private static readonly CodePointRange[] Spaces =
    [
        new(9, 13), new(32, 32), new(0xA0, 0xA0), new(0x1680, 0x1680), new(0x2000, 0x200A), new(0x2028, 0x2029), new(0x202F, 0x202F), new(0x205F, 0x205F),
        new(0x3000, 0x3000), new(0xFEFF, 0xFEFF),
    ];

    private static readonly CodePointRange[] LineEnds = [new('\n', '\n'), new('\r', '\r'), new(0x2028, 0x2029)];

    private readonly int[] _source;
    private int _at, _depth;

    private EcmaPattern(string source) => _source = [.. source.EnumerateRunes().Select(rune => rune.Value)];

    /// <exception cref="FormatException">It is no pattern of the subset; the message says what and where.</exception>
    public static PatternTree Parse(string source)
    {
        if (source.Length > ConstraintLimits.MaxPatternChars)
            throw new FormatException($"it has {source.Length} characters, and may have {ConstraintLimits.MaxPatternChars}");
        EcmaPattern parser = new(source);
        PatternTree tree = parser.ReadChoice();
        return parser._at == parser._source.Length ? tree : throw parser.Bad("')' without '('");
    }

    private PatternTree ReadChoice()
    {
        if (++_depth > MaxGroups) throw Bad($"more than {MaxGroups} groups in each other");
        List<PatternTree> items = [ReadSequence()];
        while (TryTake('|')) items.Add(ReadSequence());
        _depth--;
        return items.Count == 1 ? items[0] : new PatternTree.Choice(items);
    }

    private PatternTree ReadSequence()
    {
        List<PatternTree> items = [];
        while (_at < _source.Length && _source[_at] is not ('|' or ')')) items.Add(ReadQuantified());
        return items.Count == 1 ? items[0] : new PatternTree.Sequence(items);
    }

    private PatternTree ReadQuantified()
    {
        PatternTree item = ReadAtom();
        (int Min, int? Max)? count = ReadQuantifier();
        if (count is not { } bounds) return item;
        if (item is PatternTree.Begin or PatternTree.End) throw Bad("a quantifier after '^' or '$'");
        TryTake('?'); // lazy: the same strings match
        if (ReadQuantifier() is not null) throw Bad("a quantifier after a quantifier");
        return new PatternTree.Repeat(item, bounds.Min, bounds.Max);
    }

    private (int Min, int? Max)? ReadQuantifier()
    {
        if (TryTake('*')) return (0, null);
        if (TryTake('+')) return (1, null);
        if (TryTake('?')) return (0, 1);
        if (!TryTake('{')) return null;
        int min = ReadCount();
        int? max = min;
        if (TryTake(',')) max = _at < _source.Length && _source[_at] == '}' ? null : ReadCount();
        if (!TryTake('}')) throw Bad("'{' without '}'");
        return max < min ? throw Bad($"a repetition of {min} to {max} times") : (min, max);
    }

    private int ReadCount()
    {
        int value = 0, from = _at;
        while (_at < _source.Length && _source[_at] is >= '0' and <= '9')
        {
            value = value * 10 + (_source[_at++] - '0');
            if (value > MaxRepeats) throw Bad($"a repetition of more than {MaxRepeats} times");
        }
        return _at > from ? value : throw Bad("'{' without a number (write '\\{' for the character)");
    }

    private PatternTree ReadAtom()
    {
        int c = _source[_at++];
        switch (c)
        {
            case '^': return new PatternTree.Begin();
            case '$': return new PatternTree.End();
            case '.': return new PatternTree.Characters(CodePointRange.Complement(LineEnds));
            case '(': return ReadGroup();
            case '[': return new PatternTree.Characters(ReadClass());
            case '\\': return new PatternTree.Characters(ReadEscape(inClass: false));
            case '*' or '+' or '?' or '{': throw Bad("a quantifier with nothing before it");
            case ']' or '}': throw Bad("a bracket without its beginning");
            default: return new PatternTree.Characters([new CodePointRange(c, c)]);
        }
    }

    private PatternTree ReadGroup()
    {
        if (TryTake('?'))
        {
            if (TryTake('<'))
            {
                if (_at < _source.Length && _source[_at] is '=' or '!') throw Bad("look-behind is not supported");
                while (_at < _source.Length && _source[_at] != '>') _at++;
                if (!TryTake('>')) throw Bad("a group's name without its end");
            }
            else if (!TryTake(':'))
            {
                throw Bad("look-ahead and modifiers are not supported");
            }
        }
        PatternTree item = ReadChoice();
        return TryTake(')') ? item : throw Bad("'(' without ')'");
    }

    private List<CodePointRange> ReadClass()
    {
        bool isNegated = TryTake('^');
        List<CodePointRange> ranges = [];
        while (true)
        {
            if (_at == _source.Length) throw Bad("'[' without ']'");
            if (TryTake(']')) break;
            IReadOnlyList<CodePointRange> item = ReadClassItem();
            if (_at + 1 < _source.Length && _source[_at] == '-' && _source[_at + 1] != ']')
            {
                _at++;
                IReadOnlyList<CodePointRange> end = ReadClassItem();
                if (item is not [{ } low] || end is not [{ } high] || low.Low != low.High || high.Low != high.High || high.Low < low.Low) throw Bad("a range in '[]' that is none");
                ranges.Add(new CodePointRange(low.Low, high.High));
                continue;
            }
            ranges.AddRange(item);
        }
        return isNegated ? CodePointRange.Complement(ranges) : CodePointRange.Normalize(ranges);
    }

    private IReadOnlyList<CodePointRange> ReadClassItem()
    {
        int c = _source[_at++];
        return c == '\\' ? ReadEscape(inClass: true) : [new CodePointRange(c, c)];
    }

    private IReadOnlyList<CodePointRange> ReadEscape(bool inClass)
    {
        if (_at == _source.Length) throw Bad("'\\' at the end");
        int c = _source[_at++];
        switch (c)
        {
            case 'd': return Digits;
            case 'D': return CodePointRange.Complement(Digits);
            case 'w': return Words;
            case 'W': return CodePointRange.Complement(Words);
            case 's': return Spaces;
            case 'S': return CodePointRange.Complement(Spaces);
        }
        int value = c switch
        {
            't' => '\t',
            'n' => '\n',
            'v' => '\v',
            'f' => '\f',
            'r' => '\r',
            'b' when inClass => '\b',
            '0' when _at == _source.Length || _source[_at] is not (>= '0' and <= '9') => 0,
            'x' => ReadHex(2),
            'u' => ReadUnicode(),
            _ when c > 127 || !(Rune.IsLetterOrDigit(new Rune(c)) || c == '_') => c,
            _ => throw Bad($"'\\{new Rune(c)}' is not supported"),
        };
        return [new CodePointRange(value, value)];
    }

    private int ReadUnicode()
    {
        if (TryTake('{'))
        {
            int from = _at;
            while (_at < _source.Length && _source[_at] != '}') _at++;
            int value = Hex(from, _at);
            return TryTake('}') && value <= CodePointRange.Last ? value : throw Bad("a code point that is none");
        }
        int high = ReadHex(4);
        if (high is < 0xD800 or > 0xDBFF || _at + 1 >= _source.Length || _source[_at] != '\\' || _source[_at + 1] != 'u') return high;
        _at += 2;
        int low = ReadHex(4);
        return low is >= 0xDC00 and <= 0xDFFF ? char.ConvertToUtf32((char)high, (char)low) : throw Bad("half a surrogate pair");
    }

    private int ReadHex(int digits)
    {
        _at += digits;
        return _at <= _source.Length ? Hex(_at - digits, _at) : throw Bad($"fewer than {digits} hexadecimal digits");
    }

    private int Hex(int from, int to)
    {
        string text = string.Concat(_source[from..to].Select(c => new Rune(c).ToString()));
        return text.Length is > 0 and <= 6 && int.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int value)
            ? value
            : throw Bad("hexadecimal digits are missing");
    }

    private bool TryTake(char c)
    {
        if (_at == _source.Length || _source[_at] != c) return false;
        _at++;
        return true;
    }

    private FormatException Bad(string what) => new($"{what}, at character {_at}");
}
