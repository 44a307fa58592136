using System.Globalization;
using System.Text;
using TinyLlm.Text.Unicode;

namespace TinyLlm.Text.Patterns;

/// <summary>A set of code points: what one character of a pattern may be.</summary>
internal abstract record CodePoints
{
    private static readonly Dictionary<string, UnicodeCategory[]> Categories = new(StringComparer.OrdinalIgnoreCase)
    {
        ["L"] = [UnicodeCategory.UppercaseLetter, UnicodeCategory.LowercaseLetter, UnicodeCategory.TitlecaseLetter, UnicodeCategory.ModifierLetter,
            UnicodeCategory.OtherLetter],
        ["Lu"] = [UnicodeCategory.UppercaseLetter],
        ["Ll"] = [UnicodeCategory.LowercaseLetter],
        ["Lt"] = [UnicodeCategory.TitlecaseLetter],
        ["Lm"] = [UnicodeCategory.ModifierLetter],
        ["Lo"] = [UnicodeCategory.OtherLetter],
        ["M"] = [UnicodeCategory.NonSpacingMark, UnicodeCategory.SpacingCombiningMark, UnicodeCategory.EnclosingMark],
        ["Mn"] = [UnicodeCategory.NonSpacingMark],
        ["Mc"] = [UnicodeCategory.SpacingCombiningMark],
        ["Me"] = [UnicodeCategory.EnclosingMark],
        ["N"] = [UnicodeCategory.DecimalDigitNumber, UnicodeCategory.LetterNumber, UnicodeCategory.OtherNumber],
        ["Nd"] = [UnicodeCategory.DecimalDigitNumber],
        ["Nl"] = [UnicodeCategory.LetterNumber],
        ["No"] = [UnicodeCategory.OtherNumber],
        ["P"] = [UnicodeCategory.ConnectorPunctuation, UnicodeCategory.DashPunctuation, UnicodeCategory.OpenPunctuation, UnicodeCategory.ClosePunctuation,
            UnicodeCategory.InitialQuotePunctuation, UnicodeCategory.FinalQuotePunctuation, UnicodeCategory.OtherPunctuation],
        ["S"] = [UnicodeCategory.MathSymbol, UnicodeCategory.CurrencySymbol, UnicodeCategory.ModifierSymbol, UnicodeCategory.OtherSymbol],
        ["Sm"] = [UnicodeCategory.MathSymbol],
        ["Sc"] = [UnicodeCategory.CurrencySymbol],
        ["Sk"] = [UnicodeCategory.ModifierSymbol],
        ["So"] = [UnicodeCategory.OtherSymbol],
        ["Z"] = [UnicodeCategory.SpaceSeparator, UnicodeCategory.LineSeparator, UnicodeCategory.ParagraphSeparator],
        ["Zs"] = [UnicodeCategory.SpaceSeparator],
        ["C"] = [UnicodeCategory.Control, UnicodeCategory.Format, UnicodeCategory.Surrogate, UnicodeCategory.PrivateUse, UnicodeCategory.OtherNotAssigned],
        ["Cc"] = [UnicodeCategory.Control],
        ["Cf"] = [UnicodeCategory.Format],
    };

    public static CodePoints WhiteSpace { get; } = new Predicate(Rune.IsWhiteSpace);

    public static CodePoints WordCharacter { get; } = new Predicate(WordCharacters.IsWord);

    public static CodePoints Digit { get; } = new Category(1 << (int)UnicodeCategory.DecimalDigitNumber);

    public static CodePoints Any { get; } = new Predicate(_ => true);

    /// <summary>What <c>.</c> stands for.</summary>
    public static CodePoints NotLineFeed { get; } = new Inverse(new Range('\n', '\n'));

    public abstract bool Contains(Rune rune);

    /// <summary>The set of a general category's name; scripts found in use in patterns are known too. Null for any other name.</summary>
    public static CodePoints? Named(string name) => name switch
    {
        "Han" or "Script=Han" => new Union([
            new Range(0x2E80, 0x2E99), new Range(0x2E9B, 0x2EF3), new Range(0x2F00, 0x2FD5), new Range(0x3005, 0x3005), new Range(0x3007, 0x3007),
            new Range(0x3021, 0x3029), new Range(0x3038, 0x303B), new Range(0x3400, 0x4DBF), new Range(0x4E00, 0x9FFF), new Range(0xF900, 0xFA6D),
            new Range(0xFA70, 0xFAD9), new Range(0x16FE2, 0x16FE3), new Range(0x16FF0, 0x16FF6), new Range(0x20000, 0x2A6DF), new Range(0x2A700, 0x2B81D),
            new Range(0x2B820, 0x2CEAD), new Range(0x2CEB0, 0x2EBE0), new Range(0x2EBF0, 0x2EE5D), new Range(0x2F800, 0x2FA1D),
            new Range(0x30000, 0x3134A), new Range(0x31350, 0x33479)]),
        _ => Categories.TryGetValue(name, out UnicodeCategory[]? members)
            ? new Category(members.Aggregate(0, (mask, category) => mask | (1 << (int)category)))
            : null,
    };

    /// <summary>The set with the other case of each ASCII letter added, and of the two letters outside ASCII that fold into it.</summary>
    public static CodePoints IgnoringCase(CodePoints set) => new Predicate(rune =>
        set.Contains(rune) || set.Contains(Rune.ToLowerInvariant(rune)) || set.Contains(Rune.ToUpperInvariant(rune))
            || (rune.Value == 0x17F && (set.Contains(new Rune('s')) || set.Contains(new Rune('S'))))
            || (rune.Value == 0x212A && (set.Contains(new Rune('k')) || set.Contains(new Rune('K')))));

    internal sealed record Range(int First, int Last) : CodePoints
    {
        public override bool Contains(Rune rune) => rune.Value >= First && rune.Value <= Last;
    }

    internal sealed record Category(int Mask) : CodePoints
    {
        public override bool Contains(Rune rune) => (Mask & (1 << (int)Rune.GetUnicodeCategory(rune))) != 0;
    }

    internal sealed record Predicate(Func<Rune, bool> Holds) : CodePoints
    {
        public override bool Contains(Rune rune) => Holds(rune);
    }

    internal sealed record Union(IReadOnlyList<CodePoints> Parts) : CodePoints
    {
        public override bool Contains(Rune rune)
        {
            foreach (CodePoints part in Parts)
            {
                if (part.Contains(rune)) return true;
            }
            return false;
        }
    }

    internal sealed record Intersection(CodePoints Left, CodePoints Right) : CodePoints
    {
        public override bool Contains(Rune rune) => Left.Contains(rune) && Right.Contains(rune);
    }

    internal sealed record Inverse(CodePoints Of) : CodePoints
    {
        public override bool Contains(Rune rune) => !Of.Contains(rune);
    }
}
