namespace TinyLlm.Cli.Terminal;

/// <summary>Writes a streamed answer as it comes, and ends it with a line end if it has none.</summary>
internal sealed class AnswerWriter(TextWriter output, bool isTerminal)
{
    private readonly ControlFilter? filter = isTerminal ? new ControlFilter() : null;
    private char last = '\n';

    /// <summary>Writes the next piece at once.</summary>
    public void Write(string piece)
    {
        string text = filter is null ? piece : filter.Append(piece);
        if (text.Length == 0) return;
        output.Write(text);
        output.Flush();
        last = text[^1];
    }

    /// <summary>Ends the last line, whether the answer was whole or not.</summary>
    public void End()
    {
        if (last != '\n') output.WriteLine();
        last = '\n';
    }
}
