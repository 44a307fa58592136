using System.Globalization;
using System.Text;
using TinyLlm.Text.Unicode;

namespace TinyLlm.Text.Patterns;

/// <summary>What the usual pre-tokenizer patterns tell apart.</summary>
internal enum WordKind
{
    Letter,
    Number,
    Space,
    Other,
}

/// <summary>The kind of the character at a place of a text, and runs of one kind.</summary>
internal static class WordKinds
{
    private static readonly WordKind[] Ascii = [.. Enumerable.Range(0, 128).Select(value => Of(new Rune(value)))];

    /// <summary>The kind of the character at <paramref name="at"/>, and its length in chars; null at the end.</summary>
    /// <param name="text">The text.</param>
    /// <param name="at">The place.</param>
    /// <param name="isScript">Whether white space is <see cref="ScriptSpace"/> rather than Unicode's.</param>
    /// <param name="length">Chars of the character.</param>
    public static WordKind? At(ReadOnlySpan<char> text, int at, bool isScript, out int length)
    {
        length = 1;
        if (at >= text.Length) return null;
        char c = text[at];
        if (c < 128) return Ascii[c];
        Rune.DecodeFromUtf16(text[at..], out Rune rune, out length);
        WordKind kind = Of(rune);
        // The two sets differ in one control and one format character.
        if (isScript && rune.Value is (0x85 or 0xFEFF)) kind = ScriptSpace.Contains(rune) ? WordKind.Space : WordKind.Other;
        return kind;
    }

    /// <summary>Where the run of <paramref name="kind"/> that begins at <paramref name="at"/> ends; stops after <paramref name="max"/> characters.</summary>
    public static int EndOfRun(ReadOnlySpan<char> text, int at, WordKind kind, bool isScript, int max = int.MaxValue)
    {
        while (max-- > 0 && At(text, at, isScript, out int length) == kind) at += length;
        return at;
    }

    private static WordKind Of(Rune rune) => Rune.GetUnicodeCategory(rune) switch
    {
        UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter or UnicodeCategory.ModifierLetter
            or UnicodeCategory.OtherLetter => WordKind.Letter,
        UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => WordKind.Number,
        _ => Rune.IsWhiteSpace(rune) ? WordKind.Space : WordKind.Other,
    };
}
