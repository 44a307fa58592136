using System.Text;

namespace TinyLlm.Cli.Terminal;

/// <summary>
/// Makes foreign text harmless for a terminal, piece by piece: escape sequences (ESC [ ... letter, also in 8 bits) are dropped whole, every
/// other control character but line feed and tab is dropped, and so are the marks that reorder text. What remains of an operating system
/// command is shown as plain text, so that nothing can be hidden behind one. Knows no Spectre markup.
/// </summary>
internal sealed class ControlFilter
{
    private const char Escape = '\u001b';
    private const char ControlSequence = '\u009b';

    private State state;

    private enum State
    {
        Text,
        AfterEscape,
        InSequence,
    }

    /// <summary>A whole text, on one line when <paramref name="singleLine"/>.</summary>
    public static string Clean(string text, bool singleLine = false)
    {
        string clean = new ControlFilter().Append(text);
        return singleLine ? clean.ReplaceLineEndings(" ").Replace('\t', ' ') : clean;
    }

    /// <summary>The harmless part of the next piece; an escape sequence may go on over pieces.</summary>
    public string Append(string piece)
    {
        StringBuilder clean = new(piece.Length);
        foreach (char c in piece)
        {
            if (Consumes(c)) continue;
            if (c is '\n' or '\t' || !(char.IsControl(c) || Reorders(c))) clean.Append(c);
        }
        return clean.ToString();
    }

    // Whether the character belongs to an escape sequence.
    private bool Consumes(char c)
    {
        if (c is Escape or ControlSequence)
        {
            state = c == Escape ? State.AfterEscape : State.InSequence;
            return true;
        }
        switch (state)
        {
            case State.AfterEscape:
                state = c == '[' ? State.InSequence : State.Text;
                return c == '[';
            case State.InSequence:
                // Parameters and intermediates are 0x20 to 0x3F, the final byte 0x40 to 0x7E (ECMA-48, 5.4); anything else breaks it off.
                if (c is >= ' ' and <= '?') return true;
                state = State.Text;
                return c is >= '@' and <= '~';
            default:
                return false;
        }
    }

    // Bidirectional embeddings, overrides and isolates: text that reads otherwise than it is.
    private static bool Reorders(char c) => c is (>= '\u202a' and <= '\u202e') or (>= '\u2066' and <= '\u2069') or '\u2028' or '\u2029';
}
