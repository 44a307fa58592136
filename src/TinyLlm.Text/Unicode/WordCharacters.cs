using System.Globalization;
using System.Text;

namespace TinyLlm.Text.Unicode;

/// <summary>What the reference's regular expressions call a word character (<c>\w</c>), and white space at the ends of a text.</summary>
internal static class WordCharacters
{
    /// <summary>Letters, marks, decimal digits, letter numbers and connector punctuation, and the joiners (Unicode's UTS 18, annex C).</summary>
    public static bool IsWord(Rune rune) => Rune.GetUnicodeCategory(rune) switch
    {
        UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter or UnicodeCategory.ModifierLetter
            or UnicodeCategory.OtherLetter or UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark
            or UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.ConnectorPunctuation => true,
        // Circled letters are Alphabetic though their category is symbol; the joiners are Join_Control.
        _ => rune.Value is (>= 0x24B6 and <= 0x24E9) or 0x200C or 0x200D or (>= 0x1F130 and <= 0x1F149) or (>= 0x1F150 and <= 0x1F169)
            or (>= 0x1F170 and <= 0x1F189),
    };

    public static bool EndsWithWord(ReadOnlySpan<char> text) =>
        Rune.DecodeLastFromUtf16(text, out Rune last, out _) == System.Buffers.OperationStatus.Done && IsWord(last);

    public static bool StartsWithWord(ReadOnlySpan<char> text) =>
        Rune.DecodeFromUtf16(text, out Rune first, out _) == System.Buffers.OperationStatus.Done && IsWord(first);

    /// <summary>Length of the run of white space at the start. All white space is in the basic plane.</summary>
    public static int LeadingWhiteSpace(ReadOnlySpan<char> text)
    {
        int length = 0;
        while (length < text.Length && ScriptSpace.Contains(text[length])) length++;
        return length;
    }

    /// <summary>Length of the run of white space at the end.</summary>
    public static int TrailingWhiteSpace(ReadOnlySpan<char> text)
    {
        int length = 0;
        while (length < text.Length && ScriptSpace.Contains(text[^(length + 1)])) length++;
        return length;
    }
}
