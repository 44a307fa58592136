namespace TinyLlm.Text.Constraints;

/// <summary>
/// A place inside a JSON string: the state of its language after the whole characters, and what was read of an unfinished one, as UTF-8 or as an escape.
/// Every step keeps alive: some way to finish the character goes on in the language.
/// </summary>
internal readonly record struct StringCursor
{
    private const int FirstLowSurrogate = 0xDC00, HighSurrogates = 0x400, Astral = 0x10000;

    /// <summary>What an unfinished character waits for.</summary>
    private enum Wait : byte
    {
        Nothing,
        Continuation,
        Escape,
        Hex,
        LowBackslash,
        LowU,
        LowHex,
    }

    public StringCursor(CharacterLanguage language, int? maxLength)
    {
        Language = language;
        MaxLength = maxLength;
        State = language.Start;
    }

    public CharacterLanguage Language { get; private init; }

    public int? MaxLength { get; private init; }

    public int State { get; private init; }

    /// <summary>Whole characters so far: code points, as JSON Schema counts.</summary>
    public int Characters { get; private init; }

    /// <summary>The code point that the last step completed, if one.</summary>
    public int? Completed { get; private init; }

    public bool IsBetweenCharacters => Waiting == Wait.Nothing;

    private Wait Waiting { get; init; }

    /// <summary>Bytes or digits that are still to come.</summary>
    private byte Left { get; init; }

    private int Value { get; init; }

    /// <summary>The first half of a surrogate pair, or the least code point of a UTF-8 sequence of this length.</summary>
    private int Other { get; init; }

    /// <summary>What decides how it goes on for the next <paramref name="reach"/> characters at most: equal for places that need not be told apart.</summary>
    public StringCursor Key(int reach) => this with
    {
        Completed = null,
        Characters = 0,
        MaxLength = MaxLength is { } max ? Math.Min(max - Characters, reach) : null,
    };

    /// <summary>The place after <paramref name="value"/>, which is not the closing quotation mark. False: no string goes on so.</summary>
    public bool TryStep(byte value, out StringCursor next)
    {
        StringCursor from = Completed is null ? this : this with { Completed = null };
        return Waiting switch
        {
            Wait.Nothing => from.Begin(value, out next),
            Wait.Continuation => from.Continue(value, out next),
            Wait.Escape => from.Escape(value, out next),
            Wait.LowBackslash => from.Expect(value, '\\', Wait.LowU, out next),
            Wait.LowU => from.Expect(value, 'u', Wait.LowHex, out next),
            _ => from.Hex(value, out next),
        };
    }

    private bool Begin(byte value, out StringCursor next)
    {
        next = this;
        if (Characters == MaxLength || value < 0x20) return false;
        if (value == '\\')
        {
            next = this with { Waiting = Wait.Escape };
            return Language.HasNext(State, 0, CodePointRange.Last);
        }
        if (value < 0x80) return Complete(value, out next);
        (int left, int bits, int least) = value switch
        {
            >= 0xC2 and <= 0xDF => (1, value & 0x1F, 0x80),
            >= 0xE0 and <= 0xEF => (2, value & 0x0F, 0x800),
            >= 0xF0 and <= 0xF4 => (3, value & 0x07, Astral),
            _ => (0, 0, 0),
        };
        next = this with { Waiting = Wait.Continuation, Left = (byte)left, Value = bits, Other = least };
        return left > 0 && next.CanFinishUtf8();
    }

    private bool Continue(byte value, out StringCursor next)
    {
        next = this with { Left = (byte)(Left - 1), Value = Value << 6 | value & 0x3F };
        if ((value & 0xC0) != 0x80) return false;
        if (next.Left > 0) return next.CanFinishUtf8();
        int codePoint = next.Value;
        return codePoint >= Other && codePoint is <= CodePointRange.Last and not (>= CodePointRange.FirstSurrogate and <= CodePointRange.LastSurrogate)
            && Complete(codePoint, out next);
    }

    private bool CanFinishUtf8()
    {
        int low = Value << 6 * Left, high = low | (1 << 6 * Left) - 1;
        return HasNext(Math.Max(low, Other), high);
    }

    private bool Escape(byte value, out StringCursor next)
    {
        next = this with { Waiting = Wait.Hex, Left = 4, Value = 0 };
        return value switch
        {
            (byte)'u' => HasNext(0, CodePointRange.Last),
            (byte)'"' or (byte)'\\' or (byte)'/' => Complete(value, out next),
            (byte)'b' => Complete('\b', out next),
            (byte)'f' => Complete('\f', out next),
            (byte)'n' => Complete('\n', out next),
            (byte)'r' => Complete('\r', out next),
            (byte)'t' => Complete('\t', out next),
            _ => false,
        };
    }

    private bool Expect(byte value, char wanted, Wait waiting, out StringCursor next)
    {
        next = this with { Waiting = waiting, Left = 4, Value = 0 };
        return value == wanted;
    }

    private bool Hex(byte value, out StringCursor next)
    {
        next = this;
        if (!char.IsAsciiHexDigit((char)value)) return false;
        next = this with { Left = (byte)(Left - 1), Value = Value << 4 | HexValue(value) };
        int low = next.Value << 4 * next.Left, high = low | (1 << 4 * next.Left) - 1;
        if (Waiting == Wait.LowHex)
        {
            low = Math.Max(low, FirstLowSurrogate);
            high = Math.Min(high, CodePointRange.LastSurrogate);
            if (low > high || !HasNext(Pair(Other, low), Pair(Other, high))) return false;
            return next.Left > 0 || Complete(Pair(Other, next.Value), out next);
        }
        if (next.Left > 0) return HasNext(low, high) || HasPair(low, high);
        if (next.Value is < CodePointRange.FirstSurrogate or > CodePointRange.LastSurrogate) return Complete(next.Value, out next);
        if (!HasPair(next.Value, next.Value)) return false;
        next = next with { Waiting = Wait.LowBackslash, Other = next.Value };
        return true;
    }

    /// <summary>Whether a pair that begins with a surrogate from <paramref name="low"/> to <paramref name="high"/> goes on.</summary>
    private bool HasPair(int low, int high)
    {
        low = Math.Max(low, CodePointRange.FirstSurrogate);
        high = Math.Min(high, FirstLowSurrogate - 1);
        return low <= high && HasNext(Pair(low, FirstLowSurrogate), Pair(high, CodePointRange.LastSurrogate));
    }

    /// <summary>Whether any character from <paramref name="low"/> to <paramref name="high"/> goes on; surrogates are none.</summary>
    private bool HasNext(int low, int high)
    {
        high = Math.Min(high, CodePointRange.Last);
        if (low >= CodePointRange.FirstSurrogate) low = Math.Max(low, Math.Min(high, CodePointRange.LastSurrogate) + 1);
        if (high <= CodePointRange.LastSurrogate) high = Math.Min(high, CodePointRange.FirstSurrogate - 1);
        return low <= high && Language.HasNext(State, low, high);
    }

    private bool Complete(int codePoint, out StringCursor next)
    {
        next = this;
        if (Language.Next(State, codePoint) is not { } state) return false;
        next = new StringCursor(Language, MaxLength) { State = state, Characters = Characters + 1, Completed = codePoint };
        return true;
    }

    private static int Pair(int high, int low) => Astral + ((high - CodePointRange.FirstSurrogate) * HighSurrogates) + (low - FirstLowSurrogate);

    private static int HexValue(byte digit) => digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
}
