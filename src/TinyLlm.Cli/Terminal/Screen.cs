using Spectre.Console;

namespace TinyLlm.Cli.Terminal;

/// <summary>
/// The program's three streams and which of them are terminals. Results go to <see cref="Out"/>, everything else to <see cref="Error"/>.
/// Foreign text is cleaned of control characters where a terminal would act on them, and written as it is into a pipe or file.
/// </summary>
internal sealed class Screen(TextReader input, TextWriter output, TextWriter error)
{
    /// <summary>Standard input.</summary>
    public TextReader In { get; } = input;

    /// <summary>Standard output: results only.</summary>
    public TextWriter Out { get; } = output;

    /// <summary>Standard error: progress, notes and faults.</summary>
    public TextWriter Error { get; } = error;

    /// <summary>Whether a person types.</summary>
    public bool InIsTerminal { get; init; }

    /// <summary>Whether a person reads the results.</summary>
    public bool OutIsTerminal { get; init; }

    /// <summary>Whether a person reads the notes.</summary>
    public bool ErrorIsTerminal { get; init; }

    /// <summary>Reads a line without showing it; null when the stream can't hide what is typed.</summary>
    public Func<string>? ReadSecret { get; init; }

    /// <summary>The streams of the running process.</summary>
    public static Screen OfProcess() => new(Console.In, Console.Out, Console.Error)
    {
        InIsTerminal = !Console.IsInputRedirected,
        OutIsTerminal = !Console.IsOutputRedirected,
        ErrorIsTerminal = !Console.IsErrorRedirected,
        ReadSecret = Console.IsInputRedirected ? null : ReadSecretFromConsole,
    };

    /// <summary>Writes a line of results; foreign text in it is harmless.</summary>
    public void WriteLine(string line) => Out.WriteLine(OutIsTerminal ? ControlFilter.Clean(line) : line);

    /// <summary>Writes a note or fault as exactly one line, cleaned in any case.</summary>
    public void WriteErrorLine(string line) => Error.WriteLine(ControlFilter.Clean(line, singleLine: true));

    /// <summary>Takes the pieces of one answer.</summary>
    public AnswerWriter BeginAnswer() => new(Out, OutIsTerminal);

    /// <summary>A drawing surface on standard output (tables).</summary>
    public IAnsiConsole DrawOnOut() => Draw(Out, OutIsTerminal);

    /// <summary>A drawing surface on standard error (progress).</summary>
    public IAnsiConsole DrawOnError() => Draw(Error, ErrorIsTerminal);

    private static IAnsiConsole Draw(TextWriter writer, bool isTerminal) => AnsiConsole.Create(new AnsiConsoleSettings
    {
        Out = new AnsiConsoleOutput(writer),
        Ansi = isTerminal ? AnsiSupport.Detect : AnsiSupport.No,
        Interactive = isTerminal ? InteractionSupport.Yes : InteractionSupport.No,
    });

    private static string ReadSecretFromConsole()
    {
        System.Text.StringBuilder secret = new();
        while (true)
        {
            ConsoleKeyInfo key = Console.ReadKey(intercept: true);
            if (key.Key == ConsoleKey.Enter) break;
            if (key.Key == ConsoleKey.Backspace && secret.Length > 0) secret.Length--;
            else if (!char.IsControl(key.KeyChar)) secret.Append(key.KeyChar);
        }
        Console.Error.WriteLine();
        return secret.ToString();
    }
}
